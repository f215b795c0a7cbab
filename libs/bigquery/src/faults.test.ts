import { FatalError, PermanentError, TransientError, type Sink } from '@meterflow/stage';
import type { ReadingWrite } from '@meterflow/idempotent-writes';
import { writeOf } from '@meterflow/idempotent-writes/testing';
import { epochMs } from '@meterflow/readings/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { warehouseLimits } from './limits.ts';
import { readingTables } from './schema.ts';
import { FakeBigQuery, type Fault } from './testing/fake-bigquery.ts';
import { warehouseOn } from './testing/sink-on-fake.ts';

let fake: FakeBigQuery;
beforeEach(async () => {
  fake = await FakeBigQuery.start();
  fake.keep(readingTables.raw);
});
afterEach(() => fake.close());

const write = writeOf({
  acceptedAtMs: 1_000,
  readings: [
    {
      meter: 'm1',
      channel: 'import',
      startMs: epochMs,
      lengthMs: 900_000,
      integer: 5,
      decimals: 1,
      quality: 0,
      unit: 'kWh',
      reason: '',
      declared: 0,
    },
  ],
});
const rawOf = (limits = {}): Sink<ReadingWrite> => warehouseOn(fake, limits).warehouse.readings('raw');
/** Of a process that drains. */
const drainingRaw = (limits = {}): Sink<ReadingWrite> =>
  warehouseOn(fake, limits, AbortSignal.abort()).warehouse.readings('raw');
const rowsStored = async (): Promise<number> =>
  Number((await fake.duck.run('select count(*) from readings_raw_rows'))[0]?.[0]);

describe('a load', () => {
  test.each<readonly [string, readonly Fault[]]>([
    ['the service is unavailable', [{ status: 503, reason: 'backendError' }]],
    [
      'it answers with an error of its own',
      [
        { status: 500, reason: 'internalError' },
        { status: 502, reason: '' },
      ],
    ],
    [
      'it is asked too often',
      [
        { status: 429, reason: 'rateLimitExceeded' },
        { status: 403, reason: 'rateLimitExceeded' },
      ],
    ],
    ['the connection breaks', ['reset', 'reset']],
    ['no answer comes', ['silence']],
    ['its answer is lost', ['lost answer']],
    ['its answer is lost, and then the service is down', ['lost answer', { status: 503, reason: 'backendError' }]],
  ])('that meets this is asked for again, and stores its rows once: %s', async (_, faults) => {
    fake.strike('upload', ...faults);
    await rawOf({ uploadMs: 300 }).write([write]);
    expect([await rowsStored(), fake.jobs.size]).toEqual([1, 1]);
  });

  test('that is still running is looked at until it has ended, also through failures', async () => {
    fake.looks = 4;
    const notYet = { status: 404, reason: 'notFound' };
    fake.strike('look', notYet, { status: 503, reason: 'backendError' }, 'reset', 'silence');
    await rawOf({ callMs: 300 }).write([write]);
    expect(fake.calls).toEqual(['upload', ...Array.from({ length: 8 }, () => 'look')]);
    expect(await rowsStored()).toBe(1);
  });

  test.each<readonly [Fault, abstract new (...args: never[]) => Error]>([
    [{ status: 503, reason: 'backendError' }, TransientError],
    ['reset', TransientError],
    [{ status: 401, reason: 'authError' }, FatalError],
    [{ status: 403, reason: 'accessDenied' }, FatalError],
    [{ status: 404, reason: 'notFound' }, FatalError],
    [{ status: 400, reason: 'invalid' }, PermanentError],
    [{ status: 418, reason: 'unheardOf' }, TransientError],
    [{ job: 'backendError' }, TransientError],
    [{ job: 'rateLimitExceeded' }, TransientError],
    [{ job: 'resourcesExceeded' }, TransientError],
    [{ job: 'unheardOf' }, TransientError],
    [{ job: 'invalid' }, PermanentError],
    [{ job: 'notFound' }, FatalError],
    [{ job: 'accessDenied' }, FatalError],
  ])('that ends with %j tells the stage which kind of failure it is', async (fault, kind) => {
    fake.strike('upload', ...Array.from({ length: warehouseLimits.askMax }, () => fault));
    const failure: unknown = await drainingRaw()
      .write([write])
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(kind);
    expect((failure as Error).message).toMatch(/^BigQuery: /);
    expect(await rowsStored()).toBe(0);
  });

  test('is tried again, all of its rows at once, until the service is back', async () => {
    fake.strike('upload', ...Array.from({ length: 12 }, (): Fault => 'reset'), { job: 'backendError' });
    await rawOf().write([write, write]);
    expect([await rowsStored(), fake.calls.filter((call) => call === 'upload').length]).toEqual([2, 14]);
  });

  test('is asked for so often and no more by a process that drains', async () => {
    fake.strike('upload', ...Array.from({ length: 20 }, (): Fault => 'reset'));
    await expect(drainingRaw().write([write])).rejects.toThrow(TransientError);
    expect(fake.calls.length).toBe(warehouseLimits.askMax);
  });

  test('that does not end in its time is given up', async () => {
    fake.looks = 1_000_000;
    await expect(drainingRaw({ jobMs: 60_000 }).write([write])).rejects.toThrow('has not ended within 60000 ms');
  });

  test('is not tried while a quota is used up, and is afterwards', async () => {
    fake.strike('upload', { status: 403, reason: 'quotaExceeded' }, { job: 'quotaExceeded' });
    const { warehouse, clock } = warehouseOn(fake, { askMax: 1 });
    const startMs = clock.now;
    await warehouse.readings('raw').write([write]);
    expect([fake.calls.filter((call) => call === 'upload').length, await rowsStored()]).toEqual([3, 1]);
    expect(clock.now).toBeGreaterThanOrEqual(startMs + 2 * warehouseLimits.quotaPauseMs);
  });

  test('follows the one before it at a distance', async () => {
    const { warehouse, clock } = warehouseOn(fake, { loadIntervalMs: 60_000 });
    const startMs = clock.now;
    const raw = warehouse.readings('raw');
    await Promise.all([raw.write([write]), raw.write([write]), raw.write([write])]);
    expect(clock.now).toBeGreaterThanOrEqual(startMs + 120_000);
  });

  test('that is refused by a table that was not provisioned for this build makes no dead letter', async () => {
    const columns = readingTables.raw.columns.filter(({ name }) => name !== 'method');
    fake.keep({ ...readingTables.raw, columns });
    fake.strike('upload', { job: 'invalid' });
    await expect(rawOf().write([write])).rejects.toThrow(FatalError);
  });

  test('of nothing is no job', async () => {
    await rawOf().write([]);
    expect(fake.calls).toEqual([]);
  });
});
