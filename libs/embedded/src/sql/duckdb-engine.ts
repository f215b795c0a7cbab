import type { DuckDBConnection, DuckDBResult, DuckDBValue } from '@duckdb/node-api';
import { dataDirectory, type DataDirectory } from '../data-directory.ts';
import { jsonText } from './json-text.ts';
import { queriesAtOnceMax, QuerySlots } from './query-slots.ts';
import { queryViews } from './query-views.ts';
import { QueryWatch } from './query-watch.ts';
import {
  memoryBytesMaxDefault,
  timeoutMsDefault,
  type SqlColumn,
  type SqlEngine,
  type SqlEngineOptions,
  type SqlRequest,
  type SqlRows,
} from './sql-engine.ts';
import { TenantDatabase } from './tenant-database.ts';

const rowsMaxDefault = 1_000_000;
const interruptEveryMs = 50;
/** Tenants whose loaded views are kept for the next query: as many as queries at once, so that one is always idle. */
const databasesMax = queriesAtOnceMax;

interface KeptDatabase {
  readonly opened: Promise<TenantDatabase>;
  /** Queries that use it now: it is not closed before they have ended. */
  users: number;
}

/**
 * SQL over what is stored: the views `readings` (validated), `readings_raw` and `aggregates`, each with the latest
 * values, loaded into DuckDB when a query first names them and again when they have changed. Instants are TIMESTAMPTZ
 * (the session's zone is UTC; `start AT TIME ZONE 'Europe/Zurich'` is local time), values DECIMAL(38,9).
 */
export class DuckDbEngine implements SqlEngine {
  readonly #directory: DataDirectory;
  readonly #databaseBytesMax: number;
  /** The one used last stands last. */
  readonly #databases = new Map<string, KeptDatabase>();
  readonly #slots = new QuerySlots();

  constructor({ directory, memoryBytesMax = memoryBytesMaxDefault }: SqlEngineOptions) {
    this.#directory = dataDirectory(directory);
    this.#databaseBytesMax = Math.floor(memoryBytesMax / databasesMax);
  }

  /** Resolves when the query has its first rows. Each cell is JSON text. Throws {@link SqlError}. */
  async query(request: SqlRequest): Promise<SqlRows> {
    const { sql, timeoutMs = timeoutMsDefault, rowsMax = rowsMaxDefault, signal } = request;
    const watch = new QueryWatch({ timeoutMs, signal });
    const ends = [
      () => {
        watch.end();
      },
    ];
    const end = (): void => {
      ends
        .splice(0)
        .toReversed()
        .forEach((each) => {
          each();
        });
    };
    try {
      // No tenant is called by the empty name.
      const { tenant = '' } = request;
      await this.#slots.take(tenant, watch.signal);
      ends.push(() => {
        this.#slots.free(tenant);
      });
      const kept = this.#database(request.tenant);
      kept.users += 1;
      ends.push(() => (kept.users -= 1));
      const database = await watch.during(kept.opened);
      const connection = await database.connect();
      const atRest = interruptOn(watch.signal, connection);
      ends.push(() => {
        atRest();
        connection.closeSync();
      });
      await watch.during(database.load(await queryViews(connection, sql)));
      const result = await connection.stream(sql).catch((error: unknown) => {
        throw watch.explained(error);
      });
      watch.signal.throwIfAborted();
      return new QueryRows(result, { watch, rowsMax, end });
    } catch (error) {
      end();
      throw watch.signal.aborted ? watch.explained(error) : error;
    }
  }

  async close(): Promise<void> {
    const databases = await Promise.all([...this.#databases.values()].map(({ opened }) => opened));
    this.#databases.clear();
    await Promise.all(databases.map((database) => database.close()));
  }

  #database(tenant: string | undefined): KeptDatabase {
    const name = tenant ?? '';
    const found = this.#databases.get(name) ?? { opened: this.#madeRoom().then(() => this.#open(tenant)), users: 0 };
    this.#databases.delete(name);
    this.#databases.set(name, found);
    found.opened.catch(() => {
      if (this.#databases.get(name) === found) {
        this.#databases.delete(name);
      }
    });
    return found;
  }

  /** Closes the database that was not used for longest, where there are as many as may be. */
  async #madeRoom(): Promise<void> {
    const idle = [...this.#databases].find(([, { users }]) => users === 0);
    if (this.#databases.size >= databasesMax && idle !== undefined) {
      this.#databases.delete(idle[0]);
      await (await idle[1].opened).close();
    }
  }

  #open(tenant: string | undefined): Promise<TenantDatabase> {
    return TenantDatabase.open({
      directory: this.#directory,
      memoryBytesMax: this.#databaseBytesMax,
      ...(tenant === undefined ? {} : { tenant }),
    });
  }
}

/**
 * Interrupts what the connection does once the signal aborts, and again and again until the function that is returned is
 * called: an interrupt that comes between two of DuckDB's steps is lost.
 */
function interruptOn(signal: AbortSignal, connection: DuckDBConnection): () => void {
  let again: NodeJS.Timeout | undefined;
  const interrupt = (): void => {
    connection.interrupt();
    again ??= setInterval(interrupt, interruptEveryMs);
  };
  signal.addEventListener('abort', interrupt);
  return () => {
    signal.removeEventListener('abort', interrupt);
    clearInterval(again);
  };
}

interface QueryRowsOptions {
  readonly watch: QueryWatch;
  readonly rowsMax: number;
  /** Lets go of all that the query holds. May be called again. */
  readonly end: () => void;
}

class QueryRows implements SqlRows {
  readonly columns: readonly SqlColumn[];
  truncated = false;
  readonly #result: DuckDBResult;
  readonly #options: QueryRowsOptions;
  /** DuckDB is at the next rows: what it holds can't be let go of before it has answered. */
  #fetching = false;

  constructor(result: DuckDBResult, options: QueryRowsOptions) {
    this.#result = result;
    this.#options = options;
    this.columns = result.deduplicatedColumnNames().map((name, column) => ({
      name,
      type: String(result.columnType(column)),
    }));
    options.watch.signal.addEventListener('abort', () => {
      // Nobody may come for the rows any more; a fetch that was interrupted ends the query itself.
      if (!this.#fetching) {
        options.end();
      }
    });
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<readonly string[]> {
    let left = this.#options.rowsMax;
    try {
      for (;;) {
        const rows = await this.#fetch();
        if (rows === undefined) {
          return;
        }
        this.truncated = rows.length > left;
        for (const row of rows.slice(0, left)) {
          yield row.map(jsonText);
        }
        left -= rows.length;
        if (this.truncated) {
          return;
        }
      }
    } finally {
      this.#options.end();
    }
  }

  async #fetch(): Promise<DuckDBValue[][] | undefined> {
    try {
      this.#options.watch.signal.throwIfAborted();
      this.#fetching = true;
      const rows = (await this.#result.fetchChunk())?.getRows();
      // An interrupted query has no more rows, and no error.
      this.#options.watch.signal.throwIfAborted();
      return rows === undefined || rows.length === 0 ? undefined : rows;
    } catch (error) {
      throw this.#options.watch.explained(error);
    } finally {
      this.#fetching = false;
    }
  }
}
