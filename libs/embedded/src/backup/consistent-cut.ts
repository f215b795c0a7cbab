import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { TransientError } from '@meterflow/stage';
import { storeError } from '../database.ts';

/** How long one attempt waits for a writer; attempts, and the pause before the next. */
const lockMsMax = 1_000;
const attemptsMax = 20;
const pauseMs = 100;

/** Files as they all were at one instant, each held open for reading. */
export interface ConsistentCut {
  readonly files: ReadonlyMap<string, DatabaseSync>;
  close(): void;
}

/**
 * Every writer is kept out of all files for some milliseconds, in which a reader of each takes its snapshot. What the
 * readers see is thus what a power cut at that instant would have left, which every stage can go on from; the writers
 * go on at once. `list` names the files, and is asked again inside, since new ones may have been made meanwhile.
 */
export async function consistentCut(list: () => readonly string[]): Promise<ConsistentCut> {
  for (let attempt = 1; attempt <= attemptsMax; attempt++) {
    const cut = tryCut(list);
    if (cut !== undefined) {
      return cut;
    }
    await sleep(pauseMs);
  }
  throw new TransientError('The files are written to without a pause; try again when less is going on.');
}

/** Undefined where a writer held one for too long, or a file was added. */
function tryCut(list: () => readonly string[]): ConsistentCut | undefined {
  const names = list();
  const writers: DatabaseSync[] = [];
  const files = new Map<string, DatabaseSync>();
  const close = (): void => {
    for (const reader of files.values()) {
      reader.close();
    }
  };
  try {
    // In one order, so that two backups never wait for each other.
    for (const name of names) {
      writers.push(lockedOrUndefined(name) ?? raise(name));
    }
    if (list().join() !== names.join()) {
      return undefined;
    }
    for (const name of names) {
      files.set(name, snapshotOf(name));
    }
    return { files, close };
  } catch (error) {
    close();
    if (error instanceof BusyError) {
      return undefined;
    }
    throw error;
  } finally {
    for (const writer of writers) {
      writer.close();
    }
  }
}

class BusyError extends Error {
  override readonly name = 'BusyError';
}

function raise(name: string): never {
  throw new BusyError(name);
}

const busyCode = 5;

/** With the write lock held; closing gives it back, with nothing written. */
function lockedOrUndefined(name: string): DatabaseSync | undefined {
  const database = new DatabaseSync(name, { timeout: lockMsMax });
  try {
    database.exec('begin immediate');
    return database;
  } catch (error) {
    database.close();
    if (error instanceof Error && 'errcode' in error && (Number(error.errcode) & 0xff) === busyCode) {
      return undefined;
    }
    throw storeError(error, name);
  }
}

function snapshotOf(name: string): DatabaseSync {
  const database = new DatabaseSync(name, { readOnly: true, timeout: lockMsMax });
  database.exec('begin');
  // A snapshot begins with the first read.
  database.prepare('select count(*) from sqlite_master').get();
  return database;
}
