import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { FatalError } from '@meterflow/stage';
import { dataDirectory } from './data-directory.ts';
import { openDatabase, storeError, transaction } from './database.ts';

/** The server of a data directory, as it says of itself. */
export interface RunningServer {
  readonly pid: number;
  /** Where it listens for commands; empty where it ends with the one command that started it. */
  readonly socket: string;
}

export interface DirectoryLock {
  /** Lets the next server in. Also happens by itself, however the process ends. */
  release(): void;
}

/** Thrown when a data directory has a server already: talk to that one, stop it, or take another directory. */
export class DirectoryInUseError extends FatalError {
  readonly server: RunningServer;

  constructor(root: string, server: RunningServer) {
    super(
      `Another meterflow server (process ${server.pid}) is running on ${root}. ` +
        'Stop it first, or choose another directory with --data-dir.',
    );
    this.server = server;
  }
}

const serverSchema = `
create table server (one integer primary key check (one = 1), pid integer not null, socket text not null) strict;`;

/**
 * Makes this process the one server of the directory, until it releases the lock or ends. Its child processes share the
 * directory without it. Throws {@link DirectoryInUseError} when there is one.
 *
 * Two files: `lock` is held, by a lock of the operating system that goes with the process; `server` says who holds it.
 * Whoever takes or tests the lock does so inside a transaction on `server`, so that the two always agree.
 */
export function lockDirectory(root: string, server: RunningServer): DirectoryLock {
  const { lock: lockFile, server: serverFile } = dataDirectory(root);
  const says = openServerFile(serverFile);
  let lock: DatabaseSync | undefined;
  try {
    transaction(says, () => {
      lock = tryLock(lockFile);
      if (lock === undefined) {
        throw new DirectoryInUseError(root, serverOf(says) ?? { pid: 0, socket: '' });
      }
      says.prepare('insert or replace into server values (1, ?, ?)').run(server.pid, server.socket);
    });
    return {
      release: (): void => {
        lock?.close();
        lock = undefined;
      },
    };
  } catch (error) {
    lock?.close();
    throw storeError(error, serverFile);
  } finally {
    says.close();
  }
}

/** The server that runs on the directory now; undefined when none does, whatever an earlier one left behind. */
export function runningServer(root: string): RunningServer | undefined {
  const { lock: lockFile, server: serverFile } = dataDirectory(root);
  if (!existsSync(serverFile) || !existsSync(lockFile)) {
    return undefined;
  }
  const says = openServerFile(serverFile);
  try {
    return transaction(says, () => {
      const lock = tryLock(lockFile);
      lock?.close();
      return lock === undefined ? serverOf(says) : undefined;
    });
  } catch (error) {
    throw storeError(error, serverFile);
  } finally {
    says.close();
  }
}

function openServerFile(file: string): DatabaseSync {
  return openDatabase(file, { schema: serverSchema, formatVersion: 1, durability: 'normal' });
}

function serverOf(says: DatabaseSync): RunningServer | undefined {
  return says.prepare('select pid, socket from server').get() as unknown as RunningServer | undefined;
}

const busyCode = 5;

/** The open connection that holds the lock; undefined when another has it. */
function tryLock(file: string): DatabaseSync | undefined {
  const lock = new DatabaseSync(file, { timeout: 0 });
  try {
    lock.exec('begin exclusive');
    return lock;
  } catch (error) {
    lock.close();
    if (error instanceof Error && 'errcode' in error && error.errcode === busyCode) {
      return undefined;
    }
    throw storeError(error, file);
  }
}
