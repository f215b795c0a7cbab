import type { DuckDBConnection, DuckDBResult, DuckDBValue } from '@duckdb/node-api';
import { dataDirectory, type DataDirectory } from '../data-directory.ts';
import { jsonText } from './json-text.ts';
import { queryViews } from './query-views.ts';
import { SqlError } from './sql-error.ts';
import { TenantDatabase } from './tenant-database.ts';

export interface SqlRequest {
  readonly sql: string;
  /** Whose rows the query sees; every tenant's without it: for operators alone. */
  readonly tenant?: string;
  /** More rows are not given; {@link SqlRows.truncated} says so. */
  readonly rowsMax?: number;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface SqlColumn {
  readonly name: string;
  /** DuckDB's name of the type. */
  readonly type: string;
}

/** The answer, row by row. Rows must be read to the end, or the iteration ended: the query holds memory until then. */
export interface SqlRows extends AsyncIterable<readonly string[]> {
  readonly columns: readonly SqlColumn[];
  /** Known once the rows are read. */
  readonly truncated: boolean;
}

export interface SqlEngineOptions {
  /** The data directory's root. */
  readonly directory: string;
  /** For each tenant's database. */
  readonly memoryBytesMax?: number;
}

const rowsMaxDefault = 1_000_000;
const timeoutMsDefault = 60_000;
const memoryBytesMaxDefault = 2 * 1024 ** 3;
/** Tenants whose loaded views are kept for the next query. */
const databasesMax = 4;

/**
 * SQL over what is stored: the views `readings` (validated), `readings_raw` and `aggregates`, each with the latest
 * values, loaded into DuckDB when a query first names them and again when they have changed. Instants are TIMESTAMPTZ
 * (the session's zone is UTC; `start AT TIME ZONE 'Europe/Zurich'` is local time), values DECIMAL(38,9).
 */
export class SqlEngine {
  readonly #directory: DataDirectory;
  readonly #memoryBytesMax: number;
  /** The one used last stands last. */
  readonly #databases = new Map<string, Promise<TenantDatabase>>();

  constructor({ directory, memoryBytesMax = memoryBytesMaxDefault }: SqlEngineOptions) {
    this.#directory = dataDirectory(directory);
    this.#memoryBytesMax = memoryBytesMax;
  }

  /** Resolves when the query has its first rows. Each cell is JSON text. Throws {@link SqlError}. */
  async query(request: SqlRequest): Promise<SqlRows> {
    const database = await this.#database(request.tenant);
    const connection = await database.connect();
    try {
      await database.load(await queryViews(connection, request.sql));
      return await QueryRows.start(connection, request);
    } catch (error) {
      connection.closeSync();
      throw error;
    }
  }

  async close(): Promise<void> {
    const databases = await Promise.all(this.#databases.values());
    this.#databases.clear();
    await Promise.all(databases.map((database) => database.close()));
  }

  async #database(tenant: string | undefined): Promise<TenantDatabase> {
    // No tenant is called by the empty name.
    const name = tenant ?? '';
    const found = this.#databases.get(name) ?? this.#open(tenant);
    this.#databases.delete(name);
    this.#databases.set(name, found);
    found.catch(() => this.#databases.delete(name));
    const [oldest] = this.#databases;
    if (this.#databases.size > databasesMax && oldest !== undefined) {
      this.#databases.delete(oldest[0]);
      await (await oldest[1]).close();
    }
    return found;
  }

  #open(tenant: string | undefined): Promise<TenantDatabase> {
    return TenantDatabase.open({
      directory: this.#directory,
      memoryBytesMax: this.#memoryBytesMax,
      ...(tenant === undefined ? {} : { tenant }),
    });
  }
}

class QueryRows implements SqlRows {
  readonly columns: readonly SqlColumn[];
  truncated = false;
  readonly #connection: DuckDBConnection;
  readonly #result: DuckDBResult;
  readonly #watch: QueryWatch;
  readonly #rowsMax: number;

  private constructor(connection: DuckDBConnection, result: DuckDBResult, of: { watch: QueryWatch; rowsMax: number }) {
    this.#connection = connection;
    this.#result = result;
    this.#watch = of.watch;
    this.#rowsMax = of.rowsMax;
    this.columns = result.deduplicatedColumnNames().map((name, column) => ({
      name,
      type: String(result.columnType(column)),
    }));
  }

  static async start(connection: DuckDBConnection, request: SqlRequest): Promise<QueryRows> {
    const watch = new QueryWatch(connection, request);
    try {
      const result = await connection.stream(request.sql);
      return new QueryRows(connection, result, { watch, rowsMax: request.rowsMax ?? rowsMaxDefault });
    } catch (error) {
      watch.end();
      throw watch.explained(error);
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<readonly string[]> {
    let left = this.#rowsMax;
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
      this.#watch.end();
      this.#connection.closeSync();
    }
  }

  async #fetch(): Promise<DuckDBValue[][] | undefined> {
    try {
      const rows = (await this.#result.fetchChunk())?.getRows();
      return rows === undefined || rows.length === 0 ? undefined : rows;
    } catch (error) {
      throw this.#watch.explained(error);
    }
  }
}

/** Interrupts a query that takes too long or is no longer wanted, and says afterwards why it failed. */
class QueryWatch {
  readonly #timeoutMs: number;
  readonly #timer: NodeJS.Timeout;
  readonly #signal: AbortSignal | undefined;
  readonly #interrupt: () => void;
  #timedOut = false;

  constructor(connection: DuckDBConnection, { timeoutMs = timeoutMsDefault, signal }: SqlRequest) {
    this.#timeoutMs = timeoutMs;
    this.#interrupt = () => {
      connection.interrupt();
    };
    this.#timer = setTimeout(() => {
      this.#timedOut = true;
      connection.interrupt();
    }, timeoutMs);
    this.#signal = signal;
    signal?.addEventListener('abort', this.#interrupt);
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#signal?.removeEventListener('abort', this.#interrupt);
  }

  explained(error: unknown): Error {
    const message = error instanceof Error ? error.message : String(error);
    if (this.#timedOut) {
      return new SqlError('sql-timeout', `The query took longer than ${this.#timeoutMs} ms.`, { cause: error });
    }
    if (message.startsWith('Out of Memory')) {
      return new SqlError('sql-too-large', `The query needs more memory than is allowed: ${message}`, { cause: error });
    }
    return new SqlError('sql-invalid', message, { cause: error });
  }
}
