import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { CommandError } from '../cli-context.ts';

/** What is taken of a directory; a file that is named itself may be called as it likes. */
const readingsFile = /\.(csv|tsv|txt|ndjson|jsonl|json|pb|binpb)(\.(gz|zst|zstd))?$/i;
/** What the drop folder leaves beside the files that it took. */
const receiptFile = /\.receipt\.json$/i;
const filesMax = 100_000;

/**
 * The files to import, absolute, directories replaced by what is in them and below, by name. Throws CommandError before
 * anything is started where one is missing.
 */
export async function importableFiles(named: readonly string[]): Promise<readonly string[]> {
  const lists = await Promise.all(named.map((path) => filesOf(resolve(path))));
  const files = lists.flat();
  if (files.length > filesMax) {
    throw new CommandError('nothing-chosen', `${files.length} files at once; name up to ${filesMax}`);
  }
  return files;
}

async function filesOf(path: string): Promise<readonly string[]> {
  const found = await stat(path).catch((error: unknown) => {
    const { code } = error as NodeJS.ErrnoException;
    const denied = code === 'EACCES' || code === 'EPERM';
    throw new CommandError('file-missing', denied ? `${path} can't be read by this user` : `there is no file ${path}`, {
      cause: error,
    });
  });
  if (!found.isDirectory()) {
    return [path];
  }
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
    .filter(({ name }) => readingsFile.test(name) && !receiptFile.test(name))
    .map(({ parentPath, name }) => join(parentPath, name))
    .sort();
  if (files.length === 0) {
    throw new CommandError(
      'file-missing',
      `${path} holds no file of readings (.csv, .ndjson, .json, also .gz or .zst)`,
    );
  }
  return files;
}
