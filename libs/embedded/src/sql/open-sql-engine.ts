import type { SqlEngine, SqlEngineOptions } from './sql-engine.ts';
import { SqlProcess } from './sql-process.ts';

/**
 * SQL on a data directory, for many who ask and of whom not all mean well: DuckDB runs in a process of its own, which
 * starts with the first query.
 */
export function openSqlEngine(options: SqlEngineOptions): SqlEngine {
  return new SqlProcess(options);
}
