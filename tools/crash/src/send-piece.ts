import { setTimeout as sleep } from 'node:timers/promises';
import type { Piece } from './pieces.ts';
import { callLocally } from './local-calls.ts';

const retryMs = 100;

export interface Sent {
  /** How often it was asked for until it was all on the bus. */
  readonly attempts: number;
}

/**
 * Imports one piece, again and again until the answer says that all of it is on the bus, as a sender does that knows
 * nothing but whether it had that answer. `delivery` names this import: sent again it is the same one.
 */
export async function sendPiece(dataDir: string, piece: Piece, delivery: string): Promise<Sent> {
  const { file, sourceVersion } = piece;
  const body = { path: file, sourceVersion, delivery };
  for (let attempts = 1; ; attempts++) {
    const last = await callLocally({ dataDir, service: 'ingest', method: 'POST', path: '/v1/imports', body }).then(
      lastLine,
      () => undefined,
    );
    if (last?.closed === true) {
      return { attempts };
    }
    if (last?.error !== undefined && last.code !== 'interrupted') {
      throw new Error(`${file} was refused: ${last.error}`);
    }
    await sleep(retryMs);
  }
}

interface LastLine {
  readonly closed?: boolean;
  readonly error?: string;
  readonly code?: string;
}

function lastLine({ status, text }: { readonly status: number; readonly text: string }): LastLine | undefined {
  if (status >= 500 || status === 429) {
    return undefined;
  }
  if (status !== 200) {
    return { error: text };
  }
  const lines = text.trimEnd().split('\n');
  return JSON.parse(lines.at(-1) ?? '{}') as LastLine;
}
