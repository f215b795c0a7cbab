import type { SqlEngine, SqlEngineOptions } from './sql-engine.ts';

/** A {@link SqlEngine} on a data directory. DuckDB's library is loaded here, so that who asks no SQL does not pay for it. */
export async function openSqlEngine(options: SqlEngineOptions): Promise<SqlEngine> {
  const { SqlEngine: Engine } = await import('./sql-engine.ts');
  return new Engine(options);
}
