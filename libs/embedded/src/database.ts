import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { FatalError, TransientError } from '@meterflow/stage';

export interface DatabaseOptions {
  /** Tables and indexes; run once, in the transaction that makes the file. */
  readonly schema: string;
  /** Tables and indexes that came later, each `if not exists`: made whenever the file is opened and lacks them. */
  readonly additions?: string;
  /** Version of the file's format; a file of another version is refused. */
  readonly formatVersion: number;
  /**
   * `full`: a commit is on the disk before it returns. `normal`: a power cut may lose the last commits, a killed process
   * loses none; for what may be lost (leases, acks, done marks).
   */
  readonly durability: 'full' | 'normal';
  /** For tables of large blobs; 4,096 unless told. */
  readonly pageBytes?: number;
  readonly busyTimeoutMs?: number;
}

const busyTimeoutMsDefault = 10_000;
/** What the process that starts the services needs, with some to spare: a file each for topics and subscriptions. */
const openFilesMin = 256;
/** The WAL is copied back into the file when it has grown to this many bytes. */
const walBytesMax = 64 * 1024 * 1024;

/** Opens (and makes) one SQLite file of the data directory. Throws FatalError or TransientError naming the file. */
export function openDatabase(file: string, options: DatabaseOptions): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    database = new DatabaseSync(file, { timeout: options.busyTimeoutMs ?? busyTimeoutMsDefault });
    const pageBytes = options.pageBytes ?? 4_096;
    database.exec(`pragma page_size = ${pageBytes}`);
    database.exec('pragma journal_mode = wal');
    database.exec(`pragma synchronous = ${options.durability}`);
    database.exec(`pragma wal_autocheckpoint = ${Math.ceil(walBytesMax / pageBytes)}`);
    // After a burst the log's file is cut back to what it may keep.
    database.exec(`pragma journal_size_limit = ${walBytesMax}`);
    checkFormat(database, file, options);
    if (options.additions !== undefined) {
      database.exec(options.additions);
    }
    return database;
  } catch (error) {
    database?.close();
    throw storeError(error, file);
  }
}

function checkFormat(database: DatabaseSync, file: string, { schema, formatVersion }: DatabaseOptions): void {
  if (formatOf(database) === formatVersion) {
    return;
  }
  transaction(database, () => {
    // Asked again under the write lock: another process may have made the file meanwhile.
    const found = formatOf(database);
    if (found === formatVersion) {
      return;
    }
    if (found !== 0) {
      throw new FatalError(
        `${file} has format ${found}; this build reads ${formatVersion}. Use the build that wrote it.`,
      );
    }
    database.exec(schema);
    database.exec(`pragma user_version = ${formatVersion}`);
  });
}

function formatOf(database: DatabaseSync): number {
  return Number(database.prepare('pragma user_version').get()?.['user_version']);
}

/** Runs `work` in one write transaction; what it throws rolls everything back. */
export function transaction<Result>(database: DatabaseSync, work: () => Result): Result {
  database.exec('begin immediate');
  try {
    const result = work();
    database.exec('commit');
    return result;
  } catch (error) {
    if (database.isTransaction) {
      database.exec('rollback');
    }
    throw error;
  }
}

/** A transaction of a `normal` connection that is on the disk when it returns all the same. */
export function durably<Result>(database: DatabaseSync, work: () => Result): Result {
  database.exec('pragma synchronous = full');
  try {
    return transaction(database, work);
  } finally {
    database.exec('pragma synchronous = normal');
  }
}

/**
 * Runs `work` in one write transaction, which stays open over its turns of the event loop: the connection must be in no
 * other use. What it deletes is overwritten in the file, and in the log as soon as no reader is at it.
 */
export async function overwriting<Result>(database: DatabaseSync, work: () => Promise<Result>): Promise<Result> {
  database.exec('pragma secure_delete = on');
  database.exec('begin immediate');
  try {
    const result = await work();
    database.exec('commit');
    return result;
  } catch (error) {
    if (database.isTransaction) {
      database.exec('rollback');
    }
    throw error;
  } finally {
    database.exec('pragma secure_delete = off');
    database.exec('pragma wal_checkpoint(truncate)');
  }
}

// SQLite's primary result codes, https://www.sqlite.org/rescode.html
const busy = 5;
const locked = 6;
const readOnly = 8;
const ioError = 10;
const corrupt = 11;
const full = 13;
const cannotOpen = 14;
const notADatabase = 26;

/** Names the file and says what to do. Errors that are neither SQLite's nor the file system's pass as they are. */
export function storeError(error: unknown, file: string): Error {
  const cause = { cause: error };
  switch (primaryCode(error)) {
    case undefined:
      return error instanceof Error ? error : new Error(String(error));
    case full:
      return new TransientError(`The disk of ${file} is full. Make room; nothing that was confirmed is lost.`, cause);
    case busy:
    case locked:
      return new TransientError(`${file} is locked by another process for too long.`, cause);
    case ioError:
      return new TransientError(
        `${file} can't be read or written: ${(error as Error).message}. ${ioAdvice(error)}`,
        cause,
      );
    case readOnly:
      return new FatalError(`${file} is read-only. Make the data directory writable for this user.`, cause);
    case cannotOpen:
      return new FatalError(
        `${file} can't be opened. Check that its folder exists and belongs to this user, and that the limit of open ` +
          `files (ulimit -n) is ${openFilesMin} or more.`,
        cause,
      );
    case corrupt:
    case notADatabase:
      return new FatalError(`${file} is damaged. Restore it from a backup; it was left as it is.`, cause);
    default:
      return error as Error;
  }
}

// Growing a file is what fails where there is no room: write, truncate, fsync, shared memory of the WAL.
const growing: readonly number[] = [778, 1034, 1546, 4618, 4874, 5386];

function ioAdvice(error: unknown): string {
  const code: unknown = error instanceof Error && 'errcode' in error ? error.errcode : undefined;
  return growing.some((each) => each === code)
    ? 'Make room if its disk is full, or lift the limit on file sizes; nothing that was confirmed is lost.'
    : 'Look after its disk; nothing that was confirmed is lost.';
}

/** What making a folder may fail with, as the SQLite code that says the same. */
const fileSystemCodes: Readonly<Record<string, number>> = {
  EACCES: cannotOpen,
  EDQUOT: full,
  EEXIST: cannotOpen,
  EFBIG: full,
  EIO: ioError,
  ENOENT: cannotOpen,
  ENOSPC: full,
  ENOTDIR: cannotOpen,
  EPERM: cannotOpen,
  EROFS: readOnly,
};

function primaryCode(error: unknown): number | undefined {
  if (!(error instanceof Error)) {
    return undefined;
  }
  if ('errcode' in error && typeof error.errcode === 'number') {
    return error.errcode & 0xff;
  }
  return 'code' in error && typeof error.code === 'string' ? fileSystemCodes[error.code] : undefined;
}
