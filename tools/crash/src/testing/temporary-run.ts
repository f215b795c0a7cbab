import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject } from 'vitest';
import { differences, endStateOf } from '../end-state.ts';
import type { Piece } from '../pieces.ts';

/** The data directory of a run under test, and what is to be imported there. */
export interface TemporaryRun {
  readonly dataDir: string;
  readonly pieces: readonly Piece[];
  /** What is wrong with its end state beside that of a run that nobody disturbed. */
  faults(): Promise<readonly string[]>;
  remove(): void;
}

export function temporaryRun(): TemporaryRun {
  const { pieces, endState } = inject('reference');
  const folder = mkdtempSync(join(tmpdir(), 'meterflow-crash-'));
  const dataDir = join(folder, 'data');
  return {
    dataDir,
    pieces,
    faults: async () => differences(await endStateOf(dataDir, join(folder, 'tested.ndjson')), endState),
    remove: () => {
      rmSync(folder, { recursive: true, force: true, maxRetries: 20 });
    },
  };
}
