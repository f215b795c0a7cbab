import type { Layer } from '@meterflow/readings';
import { aggregateTable, erasureTable, noInstant, readingTables, type TableSchema } from '../schema.ts';

/** Names a table, a view or a function in a statement. */
export type Named = (name: string) => string;

/** What is appended in rows, and how the latest of them are picked and shown. */
export interface Relation {
  readonly rows: TableSchema;
  /** The view that people ask; the others are called after it. */
  readonly name: string;
  /** Names one fact: of the rows that share these, the one with the greatest order key counts. */
  readonly identity: readonly string[];
  /** What the order key decides. */
  readonly decided: readonly string[];
  /** True of a latest row that says that there is nothing. */
  readonly absent: string;
  /** True of a row `r` that the tombstone `e` covers, beside the series. */
  readonly erased: string;
  /** What is shown. */
  readonly shown: readonly string[];
}

const series = ['tenant', 'meter', 'channel'] as const;

const readings = (layer: Layer, name: string): Relation => ({
  rows: readingTables[layer],
  name,
  identity: [...series, 'start', '`end`'],
  decided: ['value', 'quality', 'unit', 'code', 'method', 'reason', 'declared_version', 'accepted_at'],
  absent: "quality = 'missing'",
  erased: 'r.accepted_at <= e.accepted_to',
  shown: [
    ...series,
    'start',
    '`end`',
    'value',
    'unit',
    'quality',
    'NULLIF(declared_version, 0) AS version',
    'code',
    'method',
    'reason',
  ],
});

export const relations: readonly Relation[] = [
  readings('validated', 'readings'),
  readings('raw', 'readings_raw'),
  {
    rows: aggregateTable,
    name: 'aggregates',
    identity: [...series, 'resolution', 'start'],
    decided: [
      ...['`end`', 'sum', '`min`', '`max`', 'mean', '`count`', 'quality', 'unit', 'ticket'],
      ...aggregateTable.columns.flatMap(({ name, added }) => (added === undefined ? [] : [name])),
    ],
    // Where all that came is surplus, nothing is summed.
    absent: '`count` = 0 AND IFNULL(surplus, 0) = 0',
    erased: 'r.ticket <= e.ticket_to',
    shown: [
      ...[...series, 'resolution', 'start', '`end`'],
      ...['sum', '`min`', '`max`', 'mean'].map((name) => `IF(\`count\` = 0, NULL, ${name}) AS ${name}`),
      ...['`count`', 'unit', 'quality'],
      `NULLIF(peak_at, ${noInstant}) AS peak_at`,
      'NULLIF(expected, -1) AS expected',
      'GREATEST(NULLIF(expected, -1) - `count`, 0) AS missing',
      ...['surplus', 'estimated', 'substituted', 'calculated', 'not_billable'].map(
        (name) => `IF(IFNULL(expected, -1) = -1, NULL, ${name}) AS ${name}`,
      ),
      'ticket',
      'NULLIF(input_version, 0) AS input_version',
      `NULLIF(input_accepted_at, ${noInstant}) AS input_accepted_at`,
      'NULLIF(input_activation, 0) AS input_activation',
      // As the API has it: final when its days are closed, a day after its end.
      "CASE WHEN TIMESTAMP_ADD(`end`, INTERVAL 24 HOUR) <= CURRENT_TIMESTAMP THEN 'final' " +
        "WHEN `count` > 0 AND NULLIF(expected, -1) <= `count` THEN 'complete' ELSE 'open' END AS state",
    ],
  },
];

/** The latest rows of a relation, worked out anew by each query from all that came. */
export function plainLatest(relation: Relation, named: Named, asOf = ''): string {
  const { rows, identity, absent, shown } = relation;
  return `SELECT ${shown.join(', ')}
FROM (
  SELECT r.*
  FROM ${named(rows.name)} AS r
  WHERE ${notErased(relation, named)}${asOf}
  QUALIFY ROW_NUMBER() OVER (PARTITION BY ${identity.join(', ')} ORDER BY order_key DESC) = 1
)
WHERE NOT (${absent})`;
}

/** The same for the incremental form: grouped, so that new rows alone are looked at when it is brought up to date. */
export function incrementalLatest({ rows, identity, decided }: Relation, named: Named): string {
  // The greatest row decides also where it has no value, which MAX_BY would look past.
  const valueOf = (name: string): string => {
    const absentValue = rows.columns.find((column) => column.name === name)?.absent;
    return absentValue === undefined ? name : `IFNULL(${name}, ${absentValue})`;
  };
  const columns = decided.map((name) => `  MAX_BY(${valueOf(name)}, order_key) AS ${name}`);
  return `SELECT
  ${identity.join(', ')},
${columns.join(',\n')}
FROM ${named(rows.name)}
GROUP BY ${identity.join(', ')}`;
}

/** What people ask: the incremental form without what is absent or erased. */
export function shownLatest(relation: Relation, named: Named): string {
  return `SELECT ${relation.shown.join(', ')}
FROM ${named(currentName(relation))} AS r
WHERE ${notErased(relation, named)}
  AND NOT (${relation.absent})`;
}

/** What {@link plainLatest} would have shown at `as_of`. Erasures count at once, also for the past. */
export function latestAsOf(relation: Relation, named: Named): string {
  return plainLatest(relation, named, '\n    AND r.written_at <= as_of');
}

export function currentName({ name }: Relation): string {
  return `${name}_current`;
}

export function plainName({ name }: Relation): string {
  return `${name}_plain`;
}

export function asOfName({ name }: Relation): string {
  return `${name}_as_of`;
}

function notErased({ erased }: Relation, named: Named): string {
  return `NOT EXISTS (
    SELECT 1
    FROM ${named(erasureTable.name)} AS e
    WHERE e.tenant = r.tenant
      AND (e.meter = '' OR e.meter = r.meter)
      AND (e.channel = '' OR e.channel = r.channel)
      AND ${erased}
  )`;
}
