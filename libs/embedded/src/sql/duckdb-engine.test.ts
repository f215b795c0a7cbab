import { createReadStream, createWriteStream, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip, gunzipSync } from 'node:zlib';
import { DuckDBInstance } from '@duckdb/node-api';
import { missingCode, parseDecimal } from '@meterflow/readings';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fillStores, type StoredReading } from '../testing/filled-stores.ts';
import { jsonText } from './json-text.ts';
import { queriesAtOnceMax, queriesWaitingMax, queriesWaitingPerTenantMax } from './query-slots.ts';
import { runSql } from './run-sql.ts';
import { DuckDbEngine } from './duckdb-engine.ts';
import type { SqlEngine, SqlRequest } from './sql-engine.ts';
import { SqlError } from './sql-error.ts';
import { exactProduct, writeInt128, writeInt64 } from './write-words.ts';

const halfHourMs = 1_800_000;
let root: string;
let engine: SqlEngine;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'meterflow-sql-'));
  engine = new DuckDbEngine({ directory: root });
});

afterEach(async () => {
  await engine.close();
  rmSync(root, { recursive: true });
});

async function rows(sql: string, more: Partial<SqlRequest> = {}): Promise<string[][]> {
  const found: string[][] = [];
  for await (const row of await engine.query({ sql, ...more })) {
    found.push([...row]);
  }
  return found;
}

const failure = (sql: string, more: Partial<SqlRequest> = {}) =>
  rows(sql, more).then(
    () => undefined,
    (error: unknown) => (error instanceof SqlError ? error.code : error),
  );

const reading = (slot: number, integer: number, more: Partial<StoredReading> = {}): StoredReading => ({
  meter: 'm1',
  startMs: Date.UTC(2013, 0, 1) + slot * halfHourMs,
  lengthMs: halfHourMs,
  integer,
  decimals: 3,
  ...more,
});

describe('the views', () => {
  test('show each latest reading with its exact value', async () => {
    await fillStores(root, [
      reading(0, 509),
      reading(1, 453, { declared: 7 }),
      reading(2, 0, { quality: missingCode }),
    ]);
    const columns = 'tenant, meter, channel, start, "end", value, unit, quality, version';
    expect(await rows(`select ${columns} from readings order by start`)).toEqual([
      [
        '"default"',
        '"m1"',
        '"import"',
        '"2013-01-01T00:00:00Z"',
        '"2013-01-01T00:30:00Z"',
        '0.509',
        '"kWh"',
        '"measured"',
        'null',
      ],
      [
        '"default"',
        '"m1"',
        '"import"',
        '"2013-01-01T00:30:00Z"',
        '"2013-01-01T01:00:00Z"',
        '0.453',
        '"kWh"',
        '"measured"',
        '7',
      ],
      [
        '"default"',
        '"m1"',
        '"import"',
        '"2013-01-01T01:00:00Z"',
        '"2013-01-01T01:30:00Z"',
        'null',
        '"kWh"',
        '"missing"',
        'null',
      ],
    ]);
    expect(await rows('select sum(value), count(value), count(*) from readings_raw')).toEqual([['0.962', '2', '3']]);
  });

  test('tell of a day in which nothing is summed that it has surplus, and no values', async () => {
    await fillStores(root, [reading(0, 1), reading(1, 3)], [{ fromMs: -Infinity, intervalMs: halfHourMs / 2 }]);
    const sql =
      'select resolution, sum, min, max, mean, count, peak_at, expected, missing, surplus, quality from aggregates';
    expect(await rows(`${sql} order by resolution`)).toEqual([
      ['"day"', 'null', 'null', 'null', 'null', '0', 'null', '96', '96', '2', '"missing"'],
      ['"month"', 'null', 'null', 'null', 'null', '0', 'null', '2976', '2976', '2', '"missing"'],
    ]);
  });

  test('show aggregates with their means, and the names and types of all columns', async () => {
    await fillStores(root, [reading(0, 1), reading(1, 1), reading(2, 2), reading(48, 5)]);
    const sql = 'select resolution, start, "end", sum, min, max, mean, count, unit, quality from aggregates';
    expect(await rows(`${sql} where resolution <> 'hour' order by start, "end"`)).toEqual([
      [
        '"day"',
        '"2013-01-01T00:00:00Z"',
        '"2013-01-02T00:00:00Z"',
        '0.004',
        '0.001',
        '0.002',
        '0.001333333',
        '3',
        '"kWh"',
        '"estimated"',
      ],
      [
        '"month"',
        '"2013-01-01T00:00:00Z"',
        '"2013-02-01T00:00:00Z"',
        '0.009',
        '0.001',
        '0.005',
        '0.00225',
        '4',
        '"kWh"',
        '"estimated"',
      ],
      [
        '"day"',
        '"2013-01-02T00:00:00Z"',
        '"2013-01-03T00:00:00Z"',
        '0.005',
        '0.005',
        '0.005',
        '0.005',
        '1',
        '"kWh"',
        '"estimated"',
      ],
    ]);
    const { columns } = await runSql({ directory: root, sql: 'from aggregates limit 0' });
    expect(columns.map(({ name, type }) => `${name} ${type}`)).toEqual([
      'tenant VARCHAR',
      'meter VARCHAR',
      'channel VARCHAR',
      'resolution VARCHAR',
      'start TIMESTAMP WITH TIME ZONE',
      'end TIMESTAMP WITH TIME ZONE',
      ...['sum', 'min', 'max', 'mean'].map((name) => `${name} DECIMAL(38,9)`),
      'count BIGINT',
      'unit VARCHAR',
      'quality VARCHAR',
      'peak_at TIMESTAMP WITH TIME ZONE',
      ...['expected', 'missing', 'surplus', 'estimated', 'substituted', 'calculated', 'not_billable', 'ticket'].map(
        (name) => `${name} BIGINT`,
      ),
      'input_version BIGINT',
      'input_accepted_at TIMESTAMP WITH TIME ZONE',
      'input_activation BIGINT',
      'state VARCHAR',
    ]);
  });

  test('follow what is stored, also within one engine', async () => {
    await fillStores(root, [reading(0, 1)]);
    expect(await rows('select sum(value) from readings')).toEqual([['0.001']]);
    await fillStores(root, [reading(0, 1), reading(1, 41)]);
    expect(await rows('select sum(value) from readings')).toEqual([['0.042']]);
  });

  test('are empty where nothing is stored', async () => {
    expect(await rows('select count(*) from readings, readings_raw, aggregates')).toEqual([['0']]);
  });

  test('show a tenant its own rows alone', async () => {
    await fillStores(root, [reading(0, 1), reading(0, 2, { tenant: 'other' })]);
    expect(await rows('select tenant, value from readings', { tenant: 'other' })).toEqual([['"other"', '0.002']]);
    expect(await rows('select count(*) from aggregates', { tenant: 'third' })).toEqual([['0']]);
    expect(await rows('select count(*) from readings')).toEqual([['2']]);
  });

  test('give back what was stored, from the least to the greatest value', async () => {
    const integers = [Number.MAX_SAFE_INTEGER, -Number.MAX_SAFE_INTEGER, 0, -1, 2 ** 32, -(2 ** 31)];
    await fillStores(
      root,
      integers.map((integer, slot) => reading(slot, integer, { decimals: 0 })),
    );
    expect(await rows('select value from readings order by start')).toEqual(
      integers.map((integer) => [String(integer)]),
    );
  });
});

describe('a query', () => {
  test.each([
    ['create table t as select 1', 'sql-not-a-query'],
    ["copy (select 1) to 'out.csv'", 'sql-not-a-query'],
    ["attach 'other.db'", 'sql-not-a-query'],
    ['set threads = 1', 'sql-not-a-query'],
    ['select 1; select 2', 'sql-not-a-query'],
    ['', 'sql-not-a-query'],
    ['selec 1', 'sql-invalid'],
    ['select nothing from readings', 'sql-invalid'],
    ["select * from read_text('/etc/hostname')", 'sql-invalid'],
    ["select * from '/etc/passwd'", 'sql-invalid'],
    ["select * from glob('/*')", 'sql-invalid'],
    ["select getenv('HOME')", 'sql-invalid'],
    ["install 'httpfs'", 'sql-not-a-query'],
    ['pragma database_list', 'sql-not-a-query'],
    ['call enable_logging()', 'sql-not-a-query'],
    ['from enable_logging()', 'sql-invalid'],
    ['select (select count(*) from enable_profiling())', 'sql-invalid'],
    ["from system.main.READ_CSV('/etc/passwd')", 'sql-invalid'],
    ["from query('from readings')", 'sql-invalid'],
    ["from json_execute_serialized_sql(json_serialize_sql('from duckdb_secrets()'))", 'sql-invalid'],
    ['from duckdb_settings()', 'sql-invalid'],
  ])('%j is refused as %s', async (sql, code) => {
    expect(await failure(sql)).toBe(code);
  });

  test.each([
    'with recursive t(i) as (select 1 union all select i + 1 from t) select count(*) from t',
    'with recursive t(i) as (select 1 union all select i + 1 from t, range(1000)) select count(*) from t',
    'select a.range, b.range from range(1000000) a, range(1000000) b order by 1 desc, 2',
  ])('without an end is ended: %s', async (sql) => {
    expect(await failure(sql, { timeoutMs: 200 })).toMatch(/^sql-(timeout|too-large)$/);
  });

  test('nested without end is refused', async () => {
    expect(await failure(`select ${'('.repeat(20_000)}1${')'.repeat(20_000)}`)).toBe('sql-invalid');
    expect(await failure(`select ${'1 + '.repeat(20_000)}1`)).toBe('sql-invalid');
  });

  test('that is ended amid its rows fails: what was read is never taken for all', async () => {
    const answer = await engine.query({ sql: 'select range from range(1000000000)', timeoutMs: 300, rowsMax: 1e9 });
    await expect(async () => {
      for await (const row of answer) {
        expect(row.length).toBe(1);
      }
    }).rejects.toMatchObject({ code: 'sql-timeout' });
  });

  test('sees no path of the machine in its settings', async () => {
    const names = ['home_directory', 'secret_directory', 'extension_directory', 'temp_directory'];
    const [cells] = await rows(`select ${names.map((name) => `current_setting('${name}')`).join(', ')}`);
    expect(cells?.join('')).not.toContain('/');
  });

  test('is ended when it takes too long, or is no longer wanted', async () => {
    const endless = 'select count(*) from range(1000000) a, range(1000000) b where a.range + b.range = 7';
    expect(await failure(endless, { timeoutMs: 50 })).toBe('sql-timeout');
    const abort = new AbortController();
    const ended = failure(endless, { signal: abort.signal });
    setTimeout(() => {
      abort.abort();
    }, 50);
    expect(await ended).toBe('sql-invalid');
  });

  test('waits for a place, in a line that has an end; the time to wait counts', async () => {
    const tenants = Array.from({ length: queriesAtOnceMax }, (_, tenant) => `tenant-${tenant}`);
    const held = await Promise.all(tenants.map((tenant) => engine.query({ sql: 'select 1', tenant })));
    expect(await failure('select 2', { timeoutMs: 20 })).toBe('sql-timeout');
    const waiting = Array.from({ length: queriesWaitingMax }, (_, each) =>
      rows('select 2', { tenant: `waiting-${each % 3}` }),
    );
    expect(await failure('select 3')).toBe('sql-busy');
    for (const query of held) {
      for await (const row of query) {
        expect(row).toEqual(['1']);
      }
    }
    expect(await Promise.all(waiting)).toEqual(waiting.map(() => [['2']]));
  });

  test('of a tenant that asks much leaves others their place, and room in the line', async () => {
    const held = await engine.query({ sql: 'select 1', tenant: 'busy' });
    const waiting = Array.from({ length: queriesWaitingPerTenantMax }, () => rows('select 2', { tenant: 'busy' }));
    expect(await failure('select 2', { tenant: 'busy' })).toBe('sql-busy');
    expect(await rows('select 3', { tenant: 'other' })).toEqual([['3']]);
    for await (const row of held) {
      expect(row).toEqual(['1']);
    }
    expect(await Promise.all(waiting)).toEqual(waiting.map(() => [['2']]));
  });

  test('whose rows nobody comes for gives its place back when it is no longer wanted', async () => {
    const abort = new AbortController();
    for (let query = 0; query < queriesAtOnceMax; query++) {
      await engine.query({ sql: 'select 1', tenant: `tenant-${query}`, signal: abort.signal });
    }
    abort.abort();
    expect(await rows('select 2', { timeoutMs: 5_000 })).toEqual([['2']]);
    expect(await failure('select 3', { signal: abort.signal })).toBe('sql-invalid');
  });

  test('whose reader stopped between two rows gives its place back when it is no longer wanted', async () => {
    const abort = new AbortController();
    const answer = await engine.query({ sql: 'select range from range(1000000000)', signal: abort.signal });
    const iterator = answer[Symbol.asyncIterator]();
    expect(await iterator.next()).toEqual({ done: false, value: ['0'] });
    abort.abort();
    expect(await rows('select 1', { timeoutMs: 2_000 })).toEqual([['1']]);
  });

  test('keeps its database while those of many other tenants come and go', async () => {
    await fillStores(root, [reading(0, 509)]);
    const held = await engine.query({ sql: 'select value from readings', tenant: 'default' });
    for (let other = 0; other < 6; other++) {
      expect(await rows('select count(*) from readings', { tenant: `other-${other}` })).toEqual([['0']]);
    }
    const found: (readonly string[])[] = [];
    for await (const row of held) {
      found.push(row);
    }
    expect(found).toEqual([['0.509']]);
  });

  test('that needs too much memory fails, and the next one is answered', async () => {
    await engine.close();
    engine = new DuckDbEngine({ directory: root, memoryBytesMax: 64 * 1024 * 1024 });
    expect(await failure('select list(range) from range(100000000)')).toBe('sql-too-large');
    expect(await rows('select 1')).toEqual([['1']]);
  });

  test('gives no more rows than asked for, and says so', async () => {
    const answer = await engine.query({ sql: 'select range from range(5000)', rowsMax: 3_000 });
    const found: string[] = [];
    for await (const [cell] of answer) {
      found.push(cell!);
    }
    expect([found.length, found.at(-1), answer.truncated]).toEqual([3_000, '2999', true]);
    const exact = await engine.query({ sql: 'select range from range(3000)', rowsMax: 3_000 });
    let count = 0;
    for await (const row of exact) {
      count += row.length;
    }
    expect([count, exact.truncated]).toEqual([3_000, false]);
  });

  test('answers in JSON that keeps every digit', async () => {
    const cells = `select [1.50::decimal(5,2), null], {'a': true}, map {'k': 1}, 'NaN'::double, 0.1::double,
      timestamp '2019-01-01 00:00:00.25', timestamptz '2019-01-01 01:00:00+01', date '2020-01-01',
      170141183460469231731687303715884105727::hugeint, 'ä"'`;
    expect(await rows(cells)).toEqual([
      [
        '[1.5,null]',
        '{"a":true}',
        '{"k":1}',
        '"NaN"',
        '0.1',
        '"2019-01-01T00:00:00.25"',
        '"2019-01-01T00:00:00Z"',
        '"2020-01-01"',
        '170141183460469231731687303715884105727',
        '"ä\\""',
      ],
    ]);
    expect(jsonText(-0.5)).toBe('-0.5');
  });
});

test('numbers are written into memory as DuckDB reads them', () => {
  const words = new Uint32Array(8);
  const view = new DataView(words.buffer);
  fc.assert(
    fc.property(fc.maxSafeInteger(), fc.constantFrom(1, 1_000, 1e9), (integer, factor) => {
      writeInt64(words, 1, integer);
      expect(view.getBigInt64(8, true)).toBe(BigInt(integer));
      writeInt128(words, 1, exactProduct(integer, factor));
      const wide = (view.getBigInt64(24, true) << 64n) + view.getBigUint64(16, true);
      expect(wide).toBe(BigInt(integer) * BigInt(factor));
    }),
  );
});

const london = join(
  process.env['METERFLOW_SHARED'] ?? '',
  'data/low-carbon-london/lbartnik_block_62_3households.csv.gz',
);

describe.skipIf(!existsSync(london))('three London households [needs shared]', () => {
  test('sum up by hour, day and month as DuckDB has it from the file', async () => {
    const file = join(root, 'london.csv');
    await pipeline(createReadStream(london), createGunzip(), createWriteStream(file));
    await fillStores(root, londonReadings());
    const plain = await (await DuckDBInstance.create()).connect();
    const source = `(select LCLid as meter, tstp as stamp, max(energy_kWh::decimal(18, 9)) as kwh
      from read_csv('${file}', all_varchar = true) where trim(energy_kWh) <> 'Null' group by all)`;
    for (const resolution of ['hour', 'day', 'month']) {
      const expected = await plain.runAndReadAll(
        `select meter, strftime(date_trunc('${resolution}', stamp::timestamp), '%Y-%m-%dT%H:%M:%SZ'), sum(kwh)::decimal(38, 9),
           min(kwh)::decimal(38, 9), max(kwh)::decimal(38, 9), count(*) from ${source} group by 1, 2 order by 1, 2`,
      );
      const sql = `select meter, start, sum, min, max, count from aggregates
        where resolution = '${resolution}' order by meter, start`;
      expect(await rows(sql)).toEqual(expected.getRows().map((row) => row.map(jsonText)));
    }
  });
});

function londonReadings(): StoredReading[] {
  const lines = gunzipSync(readFileSync(london)).toString().split('\n').slice(1);
  return lines.flatMap((line) => {
    const [meter, at, kwh] = line.split(',').map((field) => field.trim());
    if (meter === undefined || at === undefined || kwh === undefined || kwh === 'Null') {
      return [];
    }
    const startMs = Date.parse(`${at.slice(0, 19).replace(' ', 'T')}Z`);
    return [{ meter, startMs, lengthMs: halfHourMs, ...parseDecimal(kwh) }];
  });
}
