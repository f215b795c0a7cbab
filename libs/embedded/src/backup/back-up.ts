import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { backup } from 'node:sqlite';
import { FatalError } from '@meterflow/stage';
import { dataDirectory } from '../data-directory.ts';
import { consistentCut } from './consistent-cut.ts';
import { digestOf, manifestName, type Manifest } from './manifest.ts';

export interface BackUpRequest {
  /** The data directory; its server may run. */
  readonly root: string;
  /** A folder that is empty or not there yet. */
  readonly to: string;
  readonly nowMs: number;
}

/** Folders of SQLite files: everything that is known. */
const storeFolders = ['bus', 'state', 'stores'] as const;
/** Beside them: files that wait in the drop folder, rules, and the operator's key. What is under way in a request is not. */
const plainNames = ['drop', 'rules', 'operator.key'] as const;

/**
 * Copies a data directory as it is at one instant, while its server goes on. What is not in it any more by then is
 * absorbed like after a crash: senders that had no receipt send again.
 */
export async function backUp({ root, to, nowMs }: BackUpRequest): Promise<Manifest> {
  if (!existsSync(dataDirectory(root).topology)) {
    throw new FatalError(`${root} is no data directory: nothing was ever stored there.`);
  }
  if (existsSync(to) && readdirSync(to).length > 0) {
    throw new FatalError(`${to} is not empty. Choose another folder for the backup.`);
  }
  mkdirSync(to, { recursive: true, mode: 0o700 });
  // First: a file that is taken in meanwhile waits in the copy once more, which the acceptance absorbs.
  for (const name of plainNames.filter((each) => existsSync(join(root, each)))) {
    cpSync(join(root, name), join(to, name), { recursive: true, preserveTimestamps: true });
  }
  const cut = await consistentCut(() => databasesIn(root));
  try {
    for (const [file, database] of cut.files) {
      const copy = join(to, file.slice(root.length));
      mkdirSync(dirname(copy), { recursive: true, mode: 0o700 });
      await backup(database, copy);
      chmodSync(copy, statSync(file).mode);
    }
  } finally {
    cut.close();
  }
  const files: Manifest['files'] = [];
  for (const path of filesIn(to)) {
    const file = join(to, path);
    files.push({ path, bytes: statSync(file).size, sha256: await digestOf(file) });
  }
  const manifest: Manifest = { format: 1, madeAtMs: nowMs, files };
  writeFileSync(join(to, manifestName), `${JSON.stringify(manifest, undefined, 2)}\n`, { flush: true });
  return manifest;
}

function databasesIn(root: string): readonly string[] {
  return storeFolders
    .filter((folder) => existsSync(join(root, folder)))
    .flatMap((folder) => readdirSync(join(root, folder)).map((name) => join(root, folder, name)))
    .filter((file) => file.endsWith('.sqlite'))
    .toSorted();
}

function filesIn(root: string): readonly string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length).replace(/^\/+/, ''))
    .toSorted();
}
