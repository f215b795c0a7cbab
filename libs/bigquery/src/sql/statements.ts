import type { Relation } from './latest.ts';
import {
  asOfName,
  currentName,
  incrementalLatest,
  latestAsOf,
  plainLatest,
  plainName,
  relations,
  shownLatest,
  type Named,
} from './latest.ts';
import { aggregateTable, erasureTable, readingTables, type TableSchema } from '../schema.ts';

/** A view or function. `statements` make it what it must be, whatever was there. */
export interface Definition {
  readonly kind: 'view' | 'materialized view' | 'function';
  readonly name: string;
  /** What it shows. */
  readonly query: string;
  readonly statements: readonly string[];
}

/** How often the incremental form takes in new rows; what came since is added by the query that asks. */
const refreshMinutes = 30;

/** All views and functions, each after what it reads. */
export function definitions(named: Named): readonly Definition[] {
  return relations.flatMap((relation) => [
    materializedView(relation, named),
    view(relation.name, shownLatest(relation, named), named),
    view(plainName(relation), plainLatest(relation, named), named),
    asOfFunction(relation, named),
  ]);
}

/** What a table becomes where there is none. */
export function createTable({ name, columns, partition, cluster, description }: TableSchema, named: Named): string {
  const lines = columns.map(
    (column) =>
      `  \`${column.name}\` ${column.type}${column.added ? '' : ' NOT NULL'} OPTIONS (description = ${text(column.description)})`,
  );
  return `CREATE TABLE IF NOT EXISTS ${named(name)} (
${lines.join(',\n')}
)${partition === undefined ? '' : `\nPARTITION BY TIMESTAMP_TRUNC(${partition.column}, ${partition.by})`}
CLUSTER BY ${cluster.join(', ')}
OPTIONS (description = ${text(description)})`;
}

/** Adds a column that a later release brought. */
export function addColumn(table: TableSchema, column: TableSchema['columns'][number], named: Named): string {
  return `ALTER TABLE ${named(table.name)}
ADD COLUMN IF NOT EXISTS \`${column.name}\` ${column.type} OPTIONS (description = ${text(column.description)})`;
}

/** The parameters of an erasure: @tenant, @meter and @channel (empty for all), @accepted_to, @ticket_to, @erased_at. */
export function tombstone(named: Named): string {
  return `INSERT INTO ${named(erasureTable.name)} (tenant, meter, channel, accepted_to, ticket_to, erased_at)
VALUES (@tenant, @meter, @channel, @accepted_to, @ticket_to, @erased_at)`;
}

/** Deletes what the tombstone covers; safe to run again, and to be after what was erased may have come back. */
export function deleteErased(named: Named): readonly string[] {
  const statement = ({ name }: TableSchema, covered: string): string => `DELETE FROM ${named(name)}
WHERE tenant = @tenant
  AND (@meter = '' OR meter = @meter)
  AND (@channel = '' OR channel = @channel)
  AND ${covered}`;
  return [
    statement(readingTables.raw, 'accepted_at <= @accepted_to'),
    statement(readingTables.validated, 'accepted_at <= @accepted_to'),
    statement(aggregateTable, 'ticket <= @ticket_to'),
  ];
}

function materializedView(relation: Relation, named: Named): Definition {
  const { rows } = relation;
  const name = currentName(relation);
  const partition =
    rows.partition === undefined
      ? ''
      : `\nPARTITION BY TIMESTAMP_TRUNC(${rows.partition.column}, ${rows.partition.by})`;
  const query = incrementalLatest(relation, named);
  // BigQuery does not replace one in place. All of it follows from the rows, so building it anew costs a scan alone.
  const statements = [
    `DROP MATERIALIZED VIEW IF EXISTS ${named(name)}`,
    `CREATE MATERIALIZED VIEW ${named(name)}${partition}
CLUSTER BY ${rows.cluster.join(', ')}
OPTIONS (enable_refresh = TRUE, refresh_interval_minutes = ${refreshMinutes})
AS
${query}`,
  ];
  return { kind: 'materialized view', name, query, statements };
}

function view(name: string, query: string, named: Named): Definition {
  return { kind: 'view', name, query, statements: [`CREATE OR REPLACE VIEW ${named(name)} AS\n${query}`] };
}

function asOfFunction(relation: Relation, named: Named): Definition {
  const name = asOfName(relation);
  const query = latestAsOf(relation, named);
  const statement = `CREATE OR REPLACE TABLE FUNCTION ${named(name)}(as_of TIMESTAMP) AS\n${query}`;
  return { kind: 'function', name, query, statements: [statement] };
}

function text(value: string): string {
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
