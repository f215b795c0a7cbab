import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { endStateOf, type EndState } from './end-state.ts';
import { makePieces, type Piece } from './pieces.ts';
import { runUndisturbed } from './run-dev.ts';

export interface Input {
  /** Readings to cut the pieces from; see `makePieces`. */
  readonly file?: string;
  readonly readings: number;
  readonly pieces: number;
}

/** What to import, and what it comes to when nobody disturbs. */
export interface Reference {
  readonly pieces: readonly Piece[];
  readonly endState: EndState;
}

/** Makes the pieces and runs them through a server that nobody disturbs, all within `folder`. */
export async function makeReference(folder: string, input: Input): Promise<Reference> {
  const pieces = await makePieces({ folder: join(folder, 'input'), ...input });
  const dataDir = join(folder, 'undisturbed');
  await mkdir(dataDir);
  await runUndisturbed(dataDir, pieces);
  return { pieces, endState: await endStateOf(dataDir, join(folder, 'undisturbed.ndjson')) };
}
