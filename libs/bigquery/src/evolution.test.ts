import { writeOf } from '@meterflow/idempotent-writes/testing';
import { epochMs } from '@meterflow/readings/testing';
import { afterEach, expect, test } from 'vitest';
import { readingRows } from './reading-rows.ts';
import { readingTables, warehouseTables, type TableSchema } from './schema.ts';
import { DuckWarehouse } from './testing/duck-warehouse.ts';

let duck: DuckWarehouse | undefined;
afterEach(() => {
  duck?.close();
});

const file = readingRows(
  [
    writeOf({
      acceptedAtMs: 1_000,
      readings: [
        {
          meter: 'm1',
          channel: 'import',
          startMs: epochMs,
          lengthMs: 0,
          integer: 5,
          decimals: 0,
          quality: 0,
          unit: 'kWh',
          reason: '',
          declared: 0,
        },
      ],
    }),
  ],
  0,
).bytes;

/** The tables as the next build might have them. */
const later: TableSchema[] = warehouseTables.map((table) => ({
  ...table,
  columns: [...table.columns, { name: 'later', type: 'STRING', added: true, description: 'Of a later build.' }],
}));

test('this build writes into the tables of the next one, and its views read what that one wrote', async () => {
  duck = await DuckWarehouse.open(later);
  const { name } = readingTables.raw;
  await duck.load(name, file);
  await duck.run(`insert into ${name} by name
    select * replace ('m2' as meter), 'x' as later from (select * exclude later from ${name})`);
  expect(await duck.run('select meter, value from readings_raw order by meter')).toEqual([
    ['m1', '5.000000000'],
    ['m2', '5.000000000'],
  ]);
});

test('a table that gets a column later shows the rows from before as they were', async () => {
  duck = await DuckWarehouse.open();
  await duck.load(readingTables.raw.name, file);
  const before = await duck.run('select * from readings_raw');
  await duck.run(`alter table ${readingTables.raw.name} add column later varchar`);
  await duck.load(readingTables.raw.name, file);
  expect(await duck.run('select * from readings_raw')).toEqual(before);
});
