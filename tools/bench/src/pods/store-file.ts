import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkStores } from '../services/check.ts';
import { countProblems, writeRepeatedInput } from '../spine/repeated-input.ts';
import type { LocalOverlay } from './local-overlay.ts';

export interface StoredFile {
  readonly readings: number;
  /** From the request until all of it was stored and aggregated. */
  readonly seconds: number;
  /** What differs from DuckDB's own counts and sums over the file. */
  readonly problems: readonly string[];
}

/**
 * Pushes a gzipped CSV file through ingest's Service, every 50th reading twice, and compares all that is stored of it with
 * DuckDB's own counts and sums, as the benchmark of the services does. The peers' rule must be active.
 */
export async function storeFile(local: LocalOverlay, source: string, readingsMax?: number): Promise<StoredFile> {
  const folder = mkdtempSync(join(tmpdir(), 'meterflow-file-'));
  try {
    const file = join(folder, 'readings.csv');
    const cut = readingsMax === undefined ? {} : { readingsMax };
    const input = await writeRepeatedInput(source, file, { copies: 1, ...cut });
    const fromMs = performance.now();
    const receipt = await local.completed(await local.pushFile(file));
    const seconds = (performance.now() - fromMs) / 1_000;
    const problems = [...countProblems(receipt, input), ...(await checkStores(file, local.platform))];
    return { readings: input.readings, seconds, problems };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
