import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';

const folder = resolve(import.meta.dirname, '../../golden');

/** `rows`: all that a build stored, as a backup has it. `export`: the canonical export of it. */
export function goldenFile(name: string, kind: 'rows' | 'export'): string {
  return join(folder, `${name}.${kind}.ndjson`);
}

/** The builds whose rows are kept. */
export function goldenNames(): readonly string[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.rows.ndjson'))
    .map((file) => file.replace('.rows.ndjson', ''))
    .toSorted();
}
