import { fork, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import {
  memoryBytesMaxDefault,
  timeoutMsDefault,
  type SqlColumn,
  type SqlEngine,
  type SqlEngineOptions,
  type SqlRequest,
  type SqlRows,
} from './sql-engine.ts';
import { SqlError } from './sql-error.ts';
import type { SqlAsk, SqlReply } from './sql-messages.ts';

/** What the process may take beside the databases' memory: for itself, and for rows on their way. */
const ownBytesMax = 512 * 1024 ** 2;
/** How often its memory is looked at while it works. */
const watchMs = 50;
/** How much later than its time limit a query may end; what then still runs can't be stopped but with the process. */
const graceMs = 2_000;

interface Pending {
  readonly resolve: (reply: SqlReply) => void;
  readonly reject: (error: SqlError) => void;
}

/**
 * DuckDB in a process of its own. Its memory limit does not cover what one expression makes (`repeat('x', 2000000000)`),
 * and an expression can't be interrupted: so the process is watched, and ended where it takes more than it may. Queries
 * that run then fail; the next one starts another.
 */
export class SqlProcess implements SqlEngine {
  readonly #options: Required<SqlEngineOptions>;
  #child: ChildProcess | undefined;
  #gone: Promise<unknown> = Promise.resolve();
  #watch: NodeJS.Timeout | undefined;
  readonly #pending = new Map<number, Pending>();
  readonly #open = new Set<number>();
  #lastId = 0;
  #closed = false;

  constructor({ directory, memoryBytesMax = memoryBytesMaxDefault }: SqlEngineOptions) {
    this.#options = { directory: resolve(directory), memoryBytesMax };
  }

  async query({ signal, ...request }: SqlRequest): Promise<SqlRows> {
    signal?.throwIfAborted();
    const id = ++this.#lastId;
    const end = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      this.#end(id);
    };
    const timer = setTimeout(
      () => {
        if (this.#pending.has(id)) {
          this.#kill();
        }
        end();
      },
      (request.timeoutMs ?? timeoutMsDefault) + graceMs,
    );
    signal?.addEventListener('abort', end);
    this.#open.add(id);
    try {
      const reply = await this.#ask({ id, kind: 'query', request });
      const columns = reply.kind === 'columns' ? reply.columns : [];
      return new ProcessRows(columns, { next: () => this.#next(id), end });
    } catch (error) {
      end();
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#kill();
    await this.#gone;
  }

  /** Process id of the engine, for those who watch it; undefined when none runs. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** What was ended meanwhile must not look like what has come to its end. */
  #next(id: number): Promise<SqlReply> {
    return this.#open.has(id)
      ? this.#ask({ id, kind: 'next' })
      : Promise.reject(new SqlError('sql-timeout', 'The query was ended before its rows were read.'));
  }

  #ask(ask: SqlAsk): Promise<SqlReply> {
    if (this.#closed) {
      return Promise.reject(new SqlError('sql-busy', 'The server is about to stop.'));
    }
    const { promise, resolve: replied, reject } = Promise.withResolvers<SqlReply>();
    this.#pending.set(ask.id, { resolve: replied, reject });
    this.#child ??= this.#start();
    this.#child.send(ask);
    this.#watch ??= setInterval(() => {
      if (residentBytes(this.#child?.pid) > this.#options.memoryBytesMax + ownBytesMax) {
        this.#kill();
      }
    }, watchMs).unref();
    return promise;
  }

  #end(id: number): void {
    // What waits for a reply gets it: the query fails there.
    if (this.#open.delete(id) && this.#child?.connected === true) {
      this.#child.send({ id, kind: 'end' } satisfies SqlAsk);
      this.#killUnlessAnswered(id);
    }
    this.#rest();
  }

  /** A query that nobody waits for any more may be within an expression that can't be interrupted. */
  #killUnlessAnswered(id: number): void {
    if (this.#pending.has(id)) {
      setTimeout(() => {
        if (this.#pending.has(id)) {
          this.#kill();
        }
      }, graceMs).unref();
    }
  }

  /** The process is watched for as long as anything runs in it, also what nobody waits for. */
  #rest(): void {
    if (this.#open.size === 0 && this.#pending.size === 0) {
      clearInterval(this.#watch);
      this.#watch = undefined;
    }
  }

  #start(): ChildProcess {
    const child = fork(childEntry(), [JSON.stringify(this.#options)], {
      cwd: '/',
      env: { TZ: 'UTC' },
      execArgv: ['--no-warnings'],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const gone = Promise.withResolvers<undefined>();
    this.#gone = gone.promise;
    child.on('message', (reply: SqlReply) => {
      this.#replied(reply);
    });
    // Asking one that is about to end fails there as well as here.
    child.on('error', () => undefined);
    child.on('exit', () => {
      gone.resolve(undefined);
      if (this.#child === child) {
        this.#child = undefined;
        this.#failAll();
      }
    });
    return child;
  }

  #kill(): void {
    this.#child?.kill('SIGKILL');
  }

  #replied(reply: SqlReply): void {
    const pending = this.#pending.get(reply.id);
    this.#pending.delete(reply.id);
    if (reply.kind === 'failed') {
      pending?.reject(new SqlError(reply.code ?? 'sql-invalid', reply.message));
    } else {
      pending?.resolve(reply);
    }
    this.#rest();
  }

  /** Which of several queries ended the process nobody knows: those may be asked again. */
  #failAll(): void {
    const alone = new Set([...this.#open, ...this.#pending.keys()]).size <= 1;
    const error = this.#closed
      ? new SqlError('sql-busy', 'The server is about to stop.')
      : alone
        ? new SqlError('sql-too-large', 'The query needs more memory or time than is allowed.')
        : new SqlError('sql-busy', 'One of the queries that ran took too much memory or time; try again later.');
    for (const [id, { reject }] of this.#pending) {
      this.#pending.delete(id);
      reject(error);
    }
    this.#rest();
  }
}

interface ProcessRowsOptions {
  readonly next: () => Promise<SqlReply>;
  /** Lets go of the query. May be called again. */
  readonly end: () => void;
}

class ProcessRows implements SqlRows {
  readonly columns: readonly SqlColumn[];
  truncated = false;
  readonly #options: ProcessRowsOptions;

  constructor(columns: readonly SqlColumn[], options: ProcessRowsOptions) {
    this.columns = columns;
    this.#options = options;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<readonly string[]> {
    try {
      for (;;) {
        const reply = await this.#options.next();
        if (reply.kind !== 'rows') {
          this.truncated = reply.kind === 'ended' && reply.truncated;
          return;
        }
        yield* reply.rows;
      }
    } finally {
      this.#options.end();
    }
  }
}

/** `sql-child.ts` beside the sources, `sql-child.js` beside a bundle. */
function childEntry(): string {
  const source = join(import.meta.dirname, 'sql-child.ts');
  return existsSync(source) ? source : join(import.meta.dirname, 'sql-child.js');
}

const pageBytes = 4_096;

/** 0 where the kernel does not say (no /proc), or the process is gone. */
function residentBytes(pid: number | undefined): number {
  try {
    return Number(readFileSync(`/proc/${pid ?? 0}/statm`, 'latin1').split(' ')[1]) * pageBytes;
  } catch {
    return 0;
  }
}
