import type { SqlEngine, SqlRequest, SqlRows } from './sql-engine.ts';

/**
 * One query by a process that has no other: loads what it names, answers, and lets go of everything once the rows are
 * read. Throws SqlError. A server keeps an engine instead (`openSqlEngine`), and
 * what is loaded with it.
 */
export async function runSql(request: SqlRequest & { readonly directory: string }): Promise<SqlRows> {
  // DuckDB's library is loaded here, so that who asks no SQL does not pay for it.
  const { DuckDbEngine } = await import('./duckdb-engine.ts');
  const engine = new DuckDbEngine({ directory: request.directory });
  try {
    return new LastRows(await engine.query(request), engine);
  } catch (error) {
    await engine.close();
    throw error;
  }
}

class LastRows implements SqlRows {
  readonly #rows: SqlRows;
  readonly #engine: SqlEngine;

  constructor(rows: SqlRows, engine: SqlEngine) {
    this.#rows = rows;
    this.#engine = engine;
  }

  get columns(): SqlRows['columns'] {
    return this.#rows.columns;
  }

  get truncated(): boolean {
    return this.#rows.truncated;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<readonly string[]> {
    try {
      yield* this.#rows;
    } finally {
      await this.#engine.close();
    }
  }
}
