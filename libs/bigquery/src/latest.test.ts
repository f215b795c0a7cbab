import type { Layer } from '@meterflow/readings';
import { batchHeader, batchOf, plainReading } from '@meterflow/readings/testing';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readingRows } from './reading-rows.ts';
import { erasureTable, readingTables } from './schema.ts';
import { incrementalLatest, plainLatest, relations, type Relation } from './sql/latest.ts';
import { DuckWarehouse } from './testing/duck-warehouse.ts';
import { startZetasql, type Zetasql } from './testing/zetasql.ts';

let duck: DuckWarehouse;
let zetasql: Zetasql;
beforeAll(async () => {
  [duck, zetasql] = await Promise.all([DuckWarehouse.open(), startZetasql()]);
});
afterAll(async () => {
  duck.close();
  await zetasql.close();
});

const layer: Layer = 'raw';
const table = readingTables[layer].name;
const relation = relations.find(({ rows }) => rows.name === table) as Relation;
const named = (name: string): string => `\`${name}\``;

/** What is shown of a reading, as texts that both engines write alike. */
const shown = (version: string, startMs: string): string =>
  `SELECT meter, channel, CAST(${startMs} AS STRING), CAST(value AS STRING), quality, unit, reason, CAST(${version} AS STRING)`;

describe("Google's evaluator and DuckDB", () => {
  test('pick the same latest readings, by the plain view and by the incremental form', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(plainReading, { minLength: 1, maxLength: 25 }), fc.nat(3), async (readings, coarse) => {
        // Few slots, so that versions of one reading meet.
        const meeting = readings.map((reading) => ({
          ...reading,
          startMs: reading.startMs - (reading.startMs % (9e5 * 4 ** coarse)),
        }));
        await duck.run(`delete from ${table}`);
        for (const [index, reading] of meeting.entries()) {
          const batch = batchOf([reading], { ...batchHeader, acceptedAtMs: 1_000 + (index % 2) });
          await duck.load(table, readingRows([{ key: '', batch }], 0).bytes);
        }
        const rows = await literalRows();
        const plain = `${shown('IFNULL(version, 0)', 'UNIX_MILLIS(start)')} FROM (${plainLatest(relation, named)})`;
        const incremental = `${shown('declared_version', 'UNIX_MILLIS(start)')} FROM (${inItsOldName(incrementalLatest(relation, named))}) WHERE quality <> 'missing'`;
        const [fromPlain, fromIncremental] = [
          await zetasql.evaluate(rows + plain),
          await zetasql.evaluate(rows + incremental),
        ];
        const fromDuck = await duck.run(`${shown('IFNULL(version, 0)', 'epoch_ms(start)')} FROM readings_raw`);
        expect(sorted(fromPlain)).toEqual(sorted(fromDuck));
        expect(sorted(fromIncremental)).toEqual(sorted(fromDuck));
      }),
      { numRuns: 15 },
    );
  });

  test('order bytes alike, the shorter first', async () => {
    const keys = ['', '00', '0000', '00ff', '01', '7f', '80', 'ff', 'ff00'];
    const shuffled = keys
      .toReversed()
      .map((key) => `'${key}'`)
      .join(', ');
    const google = await zetasql.evaluate(`SELECT k FROM UNNEST([${shuffled}]) AS k ORDER BY FROM_HEX(k)`);
    const other = await duck.run(`select k from unnest([${shuffled}]) as t(k) order by unhex(k)`);
    expect(google.flat()).toEqual(keys);
    expect(other.flat()).toEqual(keys);
  });
});

/** What is in the table, as a query's own rows; and no tombstone. */
async function literalRows(): Promise<string> {
  const columns = readingTables[layer].columns;
  const literals: Readonly<Record<string, (name: string) => string>> = {
    STRING: (name) => `'''' || "${name}" || ''''`,
    BYTES: (name) => `'FROM_HEX(''' || hex("${name}") || ''')'`,
    INT64: (name) => `"${name}"::varchar`,
    TIMESTAMP: (name) => `'TIMESTAMP_MILLIS(' || epoch_ms("${name}") || ')'`,
    NUMERIC: (name) => `'NUMERIC ''' || "${name}" || ''''`,
  };
  const cells = columns.map(({ name, type }) => literals[type]!(name)).join(`, `);
  const rows = await duck.run(`select ${cells} from ${table}`);
  const struct = columns.map(({ name, type }) => `\`${name}\` ${type}`).join(', ');
  const tombstones = erasureTable.columns.map(({ name, type }) => `CAST(NULL AS ${type}) AS ${name}`).join(', ');
  return `WITH ${table} AS (SELECT * FROM UNNEST(ARRAY<STRUCT<${struct}>>[${rows.map((row) => `(${row.join(', ')})`).join(', ')}])),
    ${erasureTable.name} AS (SELECT ${tombstones} FROM UNNEST([1]) WHERE FALSE) `;
}

/** The analyser is older than BigQuery's other name for this. */
function inItsOldName(sql: string): string {
  return sql.replaceAll(/MAX_BY\((.+), (order_key)\)/g, 'ANY_VALUE($1 HAVING MAX $2)');
}

/** As lines, decimals without the zeros at their end. */
function sorted(rows: readonly (readonly (string | null)[])[]): string[] {
  return rows
    .map((row) => row.map((cell) => (/^-?\d+\.\d+$/.test(cell ?? '') ? cell?.replace(/\.?0+$/, '') : cell)).join('|'))
    .sort();
}
