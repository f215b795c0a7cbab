import type { Stats } from 'node:fs';
import { lstat, realpath, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { defaultMapping, mappingForHeader, UnreadableSourceError, type Mapping } from '@meterflow/formats';
import { beginningOf, fileContent, fileFacts, type FileFacts } from './content.ts';
import { mappingVersion } from './mapping-version.ts';
import type { SourceFormat } from './open-reader.ts';
import { isSameFile } from './same-file.ts';
import type { TakeInPorts, TakenIn } from './source-request.ts';
import { takeIn } from './take-in.ts';
import { withinBytes } from './within-bytes.ts';

export interface FileImport {
  readonly tenant: string;
  /** Of a regular file; see {@link importableFile}. */
  readonly path: string;
  /** What a person calls it. */
  readonly label: string;
  /** Names this delivery where the same file may be handed in again after a crash. */
  readonly delivery?: string;
  /** Chosen by the header among `mappings` where none is named. */
  readonly mapping?: Mapping;
  readonly mappings: readonly Mapping[];
  readonly sourceVersion: number;
  /** The tenant's `bytesPerRequest`. */
  readonly bytesMax: number;
  readonly onProgress?: (progress: ImportProgress) => void;
}

export interface ImportProgress {
  /** Of the file as it is, packed or not. */
  readonly bytes: number;
  readonly bytesTotal: number;
  readonly received: number;
  readonly accepted: number;
  readonly rejected: number;
}

/** Thrown when a path names nothing that can be imported. The message says what to do. */
export class NotImportableError extends Error {
  override readonly name = 'NotImportableError';
}

/** Thrown when a file was written to, replaced or removed while it was read. What was begun stays unfinished. */
export class FileChangedError extends Error {
  override readonly name = 'FileChangedError';
}

/** The file that a path names, links followed. Throws {@link NotImportableError} unless it is one that can be read. */
export async function importableFile(path: string): Promise<string> {
  try {
    const real = await realpath(path);
    const found = await stat(real);
    if (found.isDirectory()) {
      throw new NotImportableError(`${path} is a directory: name its files`);
    }
    if (!found.isFile()) {
      throw new NotImportableError(`${path} is not a regular file`);
    }
    if (found.size === 0) {
      throw new NotImportableError(`${path} is empty`);
    }
    await beginningOf(fileContent(real, { bytes: 1, packing: 'plain' }));
    return real;
  } catch (error) {
    throw notImportable(path, error);
  }
}

/**
 * Imports a file through the `bulk` lane. The same content, mapping and source version is the same acceptance: a second
 * import of it resumes an unfinished one, and of a finished one is a new delivery whose readings count as duplicates. Throws {@link FileChangedError} where the content is
 * no longer what the acceptance names; what is appended meanwhile is left out.
 */
export async function importFile(file: FileImport, ports: TakeInPorts): Promise<TakenIn> {
  const before = await lstat(file.path);
  const facts = await fileFacts(file.path);
  const format = formatOf(file.path);
  const mapping = file.mapping ?? (format === 'csv' ? await byHeader(file, facts) : undefined) ?? defaultMapping;
  let read = 0;
  const onRead = (bytes: number): void => {
    read = bytes;
  };
  return takeIn(
    {
      tenant: file.tenant,
      kind: 'file',
      lane: 'bulk',
      identity: `${facts.contentHash} ${mappingVersion(mapping)} ${file.sourceVersion}`,
      ...(file.delivery === undefined ? {} : { delivery: file.delivery }),
      contentHash: facts.contentHash,
      label: file.label,
      format,
      mapping,
      sourceVersion: file.sourceVersion,
      bytes: () =>
        withinBytes(fileContent(file.path, facts, onRead), { fileBytes: facts.bytes, bytesMax: file.bytesMax }),
      beforeClosing: () => checkUnchanged(file.path, before, facts),
      onProgress: ({ counts }) => file.onProgress?.({ bytes: read, bytesTotal: facts.bytes, ...counts }),
    },
    ports,
  );
}

/** The file is read once more only where its times say that it may have changed. */
async function checkUnchanged(path: string, before: Stats, { bytes, contentHash }: FileFacts): Promise<void> {
  const isUnchanged = await unchanged().catch((error: unknown) => {
    if (notImportable(path, error) instanceof NotImportableError) {
      return false;
    }
    throw error;
  });
  if (!isUnchanged) {
    throw new FileChangedError(`${path} was changed while it was read; import it again once nobody writes to it`);
  }

  async function unchanged(): Promise<boolean> {
    return isSameFile(before, await lstat(path)) || (await fileFacts(path, bytes)).contentHash === contentHash;
  }
}

/** Undefined also where the content can't be read: taking it in then says why, in a receipt. */
async function byHeader(file: FileImport, facts: FileFacts): Promise<Mapping | undefined> {
  try {
    return mappingForHeader(await beginningOf(fileContent(file.path, facts)), file.mappings);
  } catch (error) {
    if (error instanceof UnreadableSourceError) {
      return undefined;
    }
    throw error;
  }
}

/** What a file's name says that it is, whatever packs it. */
function formatOf(path: string): SourceFormat {
  const name = basename(path)
    .replace(/\.(gz|zst|zstd)$/i, '')
    .toLowerCase();
  const ending = name.slice(name.lastIndexOf('.') + 1);
  switch (ending) {
    case 'ndjson':
    case 'jsonl':
      return 'ndjson';
    case 'json':
      return 'json';
    case 'pb':
    case 'binpb':
      return 'columns';
    default:
      return 'csv';
  }
}

function notImportable(path: string, error: unknown): unknown {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return new NotImportableError(`there is no file ${path}`, { cause: error });
    case 'EACCES':
    case 'EPERM':
      return new NotImportableError(`${path} can't be read by the server's user`, { cause: error });
    case 'ELOOP':
    case 'ENAMETOOLONG':
      return new NotImportableError(`${path} is no path of a file`, { cause: error });
    default:
      return error;
  }
}
