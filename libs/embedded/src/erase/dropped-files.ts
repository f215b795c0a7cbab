import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { DataDirectory } from '../data-directory.ts';

/** Where the drop folder puts the files of a tenant that it has taken, with their receipts. */
const shelves = ['done', 'rejected'] as const;

/** Files of a tenant that were taken from the drop folder and lie there still. */
export async function droppedFiles(directory: DataDirectory, tenant: string): Promise<readonly string[]> {
  const lists = await Promise.all(
    shelves.map(async (shelf) => {
      const folder = join(directory.drop, tenant, shelf);
      return (await readdir(folder).catch(absent)).map((name) => join(folder, name));
    }),
  );
  return lists.flat();
}

export async function removeDroppedFiles(directory: DataDirectory, tenant: string): Promise<number> {
  const files = await droppedFiles(directory, tenant);
  for (const file of files) {
    await rm(file, { recursive: true, force: true });
  }
  return files.length;
}

function absent(error: NodeJS.ErrnoException): readonly string[] {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') {
    return [];
  }
  throw error;
}
