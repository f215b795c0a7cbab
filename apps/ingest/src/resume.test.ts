import { randomUUID } from 'node:crypto';
import { SeriesRegistry } from '@meterflow/registry';
import { afterEach, describe, expect, test } from 'vitest';
import { csvLines, IngestStand, push, type StandOptions } from './testing/ingest-stand.ts';

/** No column tells the interval's end: the registered length does, where there is one. */
const header = 'meter_id,channel,start,value,unit\n';
/** So many that they are not all published together. */
const body = header + csvLines(80_000).replaceAll(/^([^,]+,[^,]+,[^,]+),[^,]+/gm, '$1');
const settingsCacheMs = 60_000;

let stand: IngestStand | undefined;
afterEach(() => stand?.close());

/** Pushes, killed at the second publish; `change` happens; pushes again, to a process of its own. */
async function killedAndResumed(
  change: (killed: IngestStand) => Promise<void>,
  { first = {}, second = {} }: { readonly first?: StandOptions; readonly second?: StandOptions } = {},
) {
  const killed = await IngestStand.open(first);
  const request = { body, headers: { 'idempotency-key': randomUUID() } };
  const key = await killed.key('acme', 'operator');
  await lengthsOf(killed).setDefault('acme', { intervalMs: 900_000 });
  let publishes = 0;
  killed.beforePublish = () => {
    publishes += 1;
    if (publishes === 2) {
      throw new Error('killed');
    }
  };
  expect((await push(killed, key, request)).status).toBe(500);
  await change(killed);
  await killed.end();
  stand = await IngestStand.open(second, killed.root);
  const { json, status } = await push(stand, key, request);
  expect(status).toBe(200);
  return { before: killed.published, after: stand.published, json, key };
}

function lengthsOf({ platform: { registry }, clock }: IngestStand): SeriesRegistry {
  return new SeriesRegistry({ registry, nowMs: () => clock.nowMs(), cacheMs: 0 });
}

const keysOf = (published: IngestStand['published']): readonly string[] => published.map((batch) => batch.key);

describe('a source that is resumed', () => {
  test('reads under the interval lengths that it was begun under, registered anew though they are', async () => {
    const { before, after, json } = await killedAndResumed(async (killed) => {
      await lengthsOf(killed).setDefault('acme', { intervalMs: 3_600_000 });
      await lengthsOf(killed).set('acme', { meter: 'm1', channel: 'import' }, { intervalMs: 60_000 });
    });
    expect(before).toHaveLength(16);
    expect(keysOf(after).slice(0, before.length)).toEqual(keysOf(before));
    expect(json).toMatchObject({ accepted: 80_000, rejected: 0, batches: 20 });
    expect(stand?.readings.every((reading) => reading.includes('/15m '))).toBe(true);
    stand!.published.length = 0;
    stand!.clock.aheadMs += settingsCacheMs;
    await push(stand!, await stand!.key('acme'), { body: header + 'm1,import,2015-01-01T00:00:00Z,1,kWh\n' });
    expect(stand?.readings).toEqual(['2 m1 import 2015-01-01T00:00:00Z/1m 1 kWh 0 0']);
  });

  test('keeps the bound of the retention that it was begun under', async () => {
    const retained = { readingsRetentionDays: 7_305 };
    const { before, after, json, key } = await killedAndResumed(() => Promise.resolve(), {
      first: retained,
      // The readings are of 2015.
      second: { readingsRetentionDays: 10 },
    });
    expect(keysOf(after).slice(0, before.length)).toEqual(keysOf(before));
    expect(json).toMatchObject({ accepted: 80_000, rejected: 0, batches: 20 });
    const anew = await push(stand!, key, { body: header + 'm1,import,2015-01-01T00:00:00Z,1,kWh\n' });
    expect(anew.json).toMatchObject({ accepted: 0, rejects: [{ line: 2, code: 'too-old' }] });
  });
});
