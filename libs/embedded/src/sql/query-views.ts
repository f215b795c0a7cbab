import type { DuckDBConnection } from '@duckdb/node-api';
import { SqlError } from './sql-error.ts';

const sqlViews = ['readings', 'readings_raw', 'aggregates'] as const;
export type SqlView = (typeof sqlViews)[number];

/**
 * The table functions of a query: they make rows out of what they are given. All others are refused, since they reach
 * files, settings or logs, change something (`enable_logging`), or hide a query in a text (`query`).
 */
const tableFunctions = new Set([
  'range',
  'generate_series',
  'unnest',
  'repeat',
  'repeat_row',
  'json_each',
  'json_tree',
]);

/**
 * The views that one query reads, found by DuckDB's own parser, which serializes nothing but queries. Throws
 * {@link SqlError} for anything else: several statements, statements that change something, no statement, and for table
 * functions that reach further than the query.
 */
export async function queryViews(connection: DuckDBConnection, sql: string): Promise<ReadonlySet<SqlView>> {
  const reader = await connection.runAndReadAll('select json_serialize_sql($1::varchar)', [sql]);
  const tree = JSON.parse(String(reader.value(0, 0))) as SerializedSql;
  if (tree.error) {
    // DuckDB's own word for statements that are no queries: its parser knows them and does not serialize them.
    throw tree.error_type === 'not implemented'
      ? new SqlError('sql-not-a-query', 'Only queries are taken: SELECT, WITH, FROM, VALUES, DESCRIBE.')
      : new SqlError('sql-invalid', tree.error_message ?? 'The SQL can not be parsed.');
  }
  if (tree.statements?.length !== 1) {
    throw new SqlError(
      'sql-not-a-query',
      `One query at a time is taken, not ${tree.statements?.length ?? 0} statements.`,
    );
  }
  const names = new Set<string>();
  collectNames(tree.statements[0], names);
  return new Set(sqlViews.filter((view) => names.has(view)));
}

interface SerializedSql {
  readonly error: boolean;
  readonly error_type?: string;
  readonly error_message?: string;
  readonly statements?: readonly unknown[];
}

function collectNames(node: unknown, names: Set<string>): void {
  if (typeof node !== 'object' || node === null) {
    return;
  }
  refuseTableFunction(node);
  for (const [field, value] of Object.entries(node)) {
    if (typeof value !== 'string') {
      collectNames(value, names);
    } else if (field === 'table_name') {
      names.add(value.toLowerCase().replaceAll('"', ''));
    }
  }
}

interface TableFunction {
  readonly type?: unknown;
  readonly function?: { readonly function_name?: unknown };
}

function refuseTableFunction(node: TableFunction): void {
  const name = node.type === 'TABLE_FUNCTION' ? String(node.function?.function_name).toLowerCase() : undefined;
  if (name !== undefined && !tableFunctions.has(name)) {
    throw new SqlError('sql-invalid', `The table function ${name} is not to be had here.`);
  }
}
