import type { Stats } from 'node:fs';

/** True where nothing says that the file was replaced or written to between the two looks. */
export function isSameFile(before: Stats, after: Stats): boolean {
  return before.ino === after.ino && before.size === after.size && before.mtimeMs === after.mtimeMs;
}
