import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';

const folder = resolve(import.meta.dirname, '../../golden');
const packed = '.gz';

/** The builds whose data directories are kept: a backup of each, its files packed. */
export function goldenNames(): readonly string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .toSorted();
}

/** The canonical export of the build that wrote it. */
export function goldenExport(name: string): string {
  return join(folder, `${name}.export.ndjson`);
}

/** Makes a backup a golden one. */
export function packGolden(name: string, backup: string): void {
  for (const path of filesIn(backup)) {
    const file = join(folder, name, `${path}${packed}`);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, gzipSync(readFileSync(join(backup, path)), { level: 9 }));
  }
}

/** Makes a golden backup one that can be restored. */
export function unpackGolden(name: string, to: string): void {
  for (const path of filesIn(join(folder, name))) {
    const file = join(to, path.slice(0, -packed.length));
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, gunzipSync(readFileSync(join(folder, name, path))));
  }
}

function filesIn(root: string): readonly string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1));
}
