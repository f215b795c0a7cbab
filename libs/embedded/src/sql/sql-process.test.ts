import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fillStores } from '../testing/filled-stores.ts';
import type { SqlRequest, SqlRows } from './sql-engine.ts';
import { SqlError } from './sql-error.ts';
import { SqlProcess } from './sql-process.ts';

let root: string;
let engine: SqlProcess;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'meterflow-sql-process-'));
  engine = new SqlProcess({ directory: root, memoryBytesMax: 256 * 1024 ** 2 });
});

afterEach(async () => {
  await engine.close();
  rmSync(root, { recursive: true });
});

async function read(answer: SqlRows): Promise<string[][]> {
  const found: string[][] = [];
  for await (const row of answer) {
    found.push([...row]);
  }
  return found;
}

const rows = async (sql: string, more: Partial<SqlRequest> = {}): Promise<string[][]> =>
  read(await engine.query({ sql, ...more }));

const failure = (sql: string, more: Partial<SqlRequest> = {}) =>
  rows(sql, more).then(
    () => undefined,
    (error: unknown) => (error instanceof SqlError ? error.code : error),
  );

test('answers with what is stored, piece by piece to the last row', async () => {
  const startMs = Date.UTC(2024, 0, 1);
  await fillStores(root, [{ meter: 'm', startMs, lengthMs: 1_800_000, integer: 509, decimals: 3 }]);
  const answer = await engine.query({ sql: 'select meter, value from readings' });
  expect(answer.columns).toEqual([
    { name: 'meter', type: 'VARCHAR' },
    { name: 'value', type: 'DECIMAL(38,9)' },
  ]);
  expect(await read(answer)).toEqual([['"m"', '0.509']]);
  expect((await rows('select range from range(10000)')).at(-1)).toEqual(['9999']);
  const some = await engine.query({ sql: 'select range from range(10000)', rowsMax: 5_000 });
  expect([(await read(some)).length, some.truncated]).toEqual([5_000, true]);
});

test('says what is wrong with a query, and is there for the next one', async () => {
  expect(await failure('selec 1')).toBe('sql-invalid');
  expect(await failure("copy (select 1) to 'x'")).toBe('sql-not-a-query');
  expect(await failure('select count(*) from range(1000000) a, range(1000000) b', { timeoutMs: 100 })).toBe(
    'sql-timeout',
  );
  expect(await rows('select 1')).toEqual([['1']]);
});

test.each([
  ['a text of 20 GB in pieces', "select sum(length(repeat('x', 100000000 + range::int))) from range(200)"],
  ['a list of a thousand million', 'select length(range(1000000000))'],
  ['rows of a megabyte each', "select repeat('x', 4000000 + range::int) from range(2000)"],
  ['one row that is a list of 20 million', 'select list(range) from range(20000000)'],
])(
  '%s ends the process of the query, not this one',
  async (_, sql) => {
    expect(await failure(sql)).toBe('sql-too-large');
    expect(await rows('select 1')).toEqual([['1']]);
  },
  // It computes with all its might until it has taken too much: beside other work that takes its time.
  90_000,
);

test('is ended amid its rows when nobody wants them any more', async () => {
  const abort = new AbortController();
  const answer = await engine.query({ sql: 'select range from range(1000000000)', signal: abort.signal, rowsMax: 1e9 });
  const reading = read(answer);
  abort.abort();
  await expect(reading).rejects.toBeInstanceOf(SqlError);
  expect(await rows('select 1')).toEqual([['1']]);
});

test('a query that works on when nobody waits for it any more ends with its process', async () => {
  await rows('select 1');
  const { pid } = engine;
  const abort = new AbortController();
  const sql = "select sum(levenshtein(repeat('x', 20000 + range::int), repeat('y', 20000))) from range(2000)";
  const waiting = failure(sql, { signal: abort.signal });
  setTimeout(() => {
    abort.abort();
  }, 100);
  expect(await waiting).toBe('sql-too-large');
  expect(await rows('select 1')).toEqual([['1']]);
  expect(engine.pid).not.toBe(pid);
});

test('whoever waits when the process is gone is told, and closed it has none', async () => {
  await rows('select 1');
  const waiting = failure('select count(*) from range(1000000) a, range(1000000) b');
  const { pid } = engine;
  expect(pid).toBeDefined();
  await engine.close();
  expect(await waiting).toBe('sql-busy');
  expect(() => process.kill(pid ?? 0, 0)).toThrow('ESRCH');
  expect(await failure('select 1')).toBe('sql-busy');
});
