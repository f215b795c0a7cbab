import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { written } from './lane-files.ts';

/** The manifests below a folder that say that they were written by a command. */
export function writtenFiles(folder: string): readonly string[] {
  return globSync('**/*.yaml', { cwd: folder })
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => readFileSync(join(folder, path), 'utf8').startsWith(written))
    .toSorted();
}
