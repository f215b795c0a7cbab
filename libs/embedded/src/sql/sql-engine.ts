export interface SqlRequest {
  readonly sql: string;
  /** Whose rows the query sees; every tenant's without it: for operators alone. */
  readonly tenant?: string;
  /** More rows are not given; {@link SqlRows.truncated} says so. */
  readonly rowsMax?: number;
  /** From asking to the last row, waiting and loading included. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface SqlColumn {
  readonly name: string;
  /** DuckDB's name of the type. */
  readonly type: string;
}

/**
 * The answer, row by row. Rows must be read to the end, or the iteration ended: the query holds memory
 * and a place until then, or until its time is over or its signal aborts.
 */
export interface SqlRows extends AsyncIterable<readonly string[]> {
  readonly columns: readonly SqlColumn[];
  /** Known once the rows are read. */
  readonly truncated: boolean;
}

export interface SqlEngineOptions {
  /** The data directory's root. */
  readonly directory: string;
  /** For all tenants' databases together. */
  readonly memoryBytesMax?: number;
}

/** Answers queries. Closed, it answers none. */
export interface SqlEngine {
  /** Resolves when the query has its first rows. Each cell is JSON text. Throws SqlError. */
  query(request: SqlRequest): Promise<SqlRows>;
  close(): Promise<void>;
}

/** Of a query that does not say how long it may take. */
export const timeoutMsDefault = 60_000;
export const memoryBytesMaxDefault = 2 * 1024 ** 3;
