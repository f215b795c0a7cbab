import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readingTables, warehouseTables } from './schema.ts';
import { FakeBigQuery } from './testing/fake-bigquery.ts';
import { warehouseOn } from './testing/sink-on-fake.ts';

let fake: FakeBigQuery;
beforeEach(async () => {
  fake = await FakeBigQuery.start();
});
afterEach(() => fake.close());

const whats = (drift: readonly { what: string }[]): string[] => drift.map(({ what }) => what);

describe('provisioning', () => {
  test('makes dataset, tables and views of nothing, finds them right, and does nothing a second time', async () => {
    const { warehouse } = warehouseOn(fake);
    const before = whats(await warehouse.drift());
    expect(before[0]).toBe('dataset metering is not there');
    expect(before).toHaveLength(1 + warehouseTables.length + 3 * 4);
    expect(await warehouse.provision()).toEqual([]);
    const jobs = fake.jobs.size;
    expect(await warehouse.provision()).toEqual([]);
    expect(fake.jobs.size).toBe(jobs);
  });

  test('checks without changing anything', async () => {
    await warehouseOn(fake).warehouse.drift();
    expect(fake.jobs.size).toBe(0);
  });

  test('brings a view that says something else up to date', async () => {
    const { warehouse } = warehouseOn(fake);
    await warehouse.provision();
    Object.assign(fake.table('readings_plain') as object, { view: { query: 'SELECT 1' } });
    Object.assign(fake.table('aggregates_current') as object, { materializedView: { query: 'SELECT 2' } });
    expect(whats(await warehouse.drift())).toEqual([
      'view readings_plain says something else',
      'materialized view aggregates_current says something else',
    ]);
    expect(await warehouse.provision()).toEqual([]);
  });

  test('leaves alone what a later build added', async () => {
    const { warehouse } = warehouseOn(fake);
    await warehouse.provision();
    fake.table('readings_rows')?.schema?.fields.push({ name: 'later', type: 'STRING', mode: 'NULLABLE' });
    expect(await warehouse.drift()).toEqual([]);
  });

  test('names what no statement mends, and does not touch it', async () => {
    const { warehouse } = warehouseOn(fake);
    await warehouse.provision();
    const raw = readingTables.raw;
    const columns = raw.columns
      .filter(({ name }) => name !== 'order_key')
      .map((column) => (column.name === 'meter' ? { ...column, type: 'INT64' as const } : column));
    fake.keep({ ...raw, columns, partition: { by: 'MONTH', column: 'start' }, cluster: ['meter'] });
    const jobs = fake.jobs.size;
    expect(whats(await warehouse.provision())).toEqual([
      'column readings_raw_rows.meter is INT64, not STRING',
      'column readings_raw_rows.order_key is not there',
      'table readings_raw_rows is partitioned by MONTH of start, not by DAY of start',
      'table readings_raw_rows is clustered by meter, not by tenant, meter, channel',
    ]);
    expect(fake.jobs.size).toBe(jobs);
  });
});
