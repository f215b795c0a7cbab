import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openWarehouse } from '@meterflow/bigquery';
import { FakeBigQuery } from '@meterflow/bigquery/testing';
import { encodeReadingBatch, topology } from '@meterflow/contracts';
import { dataDirectory, openBus, openEmbeddedPlatform, type EmbeddedPlatform } from '@meterflow/embedded';
import { batchOf, epochMs, hourMs, type PlainReading } from '@meterflow/readings/testing';
import { silentTelemetry, StageProgress, systemClock } from '@meterflow/stage';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { primaryStages } from './primary-stages.ts';
import { readingPersistence } from './reading-persistence.ts';
import { warehouseStages } from './warehouse-stages.ts';
import { withoutNotices } from './without-notices.ts';

const root = mkdtempSync(join(tmpdir(), 'warehouse-outage-'));
const drain = new AbortController();
let platform: EmbeddedPlatform;
let fake: FakeBigQuery;

beforeEach(async () => {
  fake = await FakeBigQuery.start();
  fake.looks = 0;
  const topics = topology(['bulk'], { warehouse: true });
  const declared = {
    topics: topics.map(({ topic }) => topic),
    subscriptions: topics.flatMap(({ topic, subscriptions }) =>
      subscriptions.map((name) => ({ name, topic, from: 'start' as const })),
    ),
  };
  await openBus({ directory: dataDirectory(root), clock: systemClock, owner: 'declares', topology: declared }).close();
  platform = openEmbeddedPlatform({ root, owner: 'test', telemetry: silentTelemetry });
});

afterEach(async () => {
  await platform.close();
  await fake.close();
  rmSync(root, { recursive: true });
});

const backlog = (subscription: string): number =>
  platform.bus.backlog().find((each) => each.subscription === subscription)?.messages ?? 0;

const reading: PlainReading = {
  meter: 'm1',
  channel: 'import',
  startMs: epochMs,
  lengthMs: hourMs,
  integer: 1,
  decimals: 0,
  quality: 0,
  unit: 'kWh',
  reason: '',
  declared: 0,
};

/** Raw batches of an hour each. */
async function publish(hours: { readonly from: number; readonly to: number }): Promise<void> {
  const messages = Array.from({ length: hours.to - hours.from }, (_, index) => ({
    topic: 'readings.accepted.bulk',
    payload: encodeReadingBatch(batchOf([{ ...reading, startMs: epochMs + (hours.from + index) * hourMs }])),
    attributes: {},
  }));
  await platform.publisher.publish(messages);
}

test('while BigQuery is down the primary store goes on; after it the warehouse has all of it', async () => {
  let isDown = true;
  const strike = (): void => {
    fake.strike('upload', { status: 503, reason: 'backendError' });
  };
  const warehouse = openWarehouse({
    location: fake.location,
    clock: systemClock,
    telemetry: {
      ...silentTelemetry,
      count: (name) => {
        if (name === 'warehouse_load_failures_total' && isDown) {
          strike();
        }
      },
    },
    signal: drain.signal,
    limits: { askMax: 1, pauseMs: 1, pauseMsMax: 5, loadIntervalMs: 0 },
  });
  await warehouse.provision();
  strike();
  await publish({ from: 0, to: 10 });
  const common = { platform, owner: 'test', telemetry: silentTelemetry };
  const running = [
    ...primaryStages(common, ['bulk']),
    ...warehouseStages({ ...common, warehouse, limits: { coalesceMs: 50, groupMessagesMax: 1_024 } }, ['bulk']),
  ].map((stage) => stage.run({ signal: drain.signal, progress: new StageProgress() }));
  try {
    await vi.waitFor(() => {
      expect(backlog('persistence-raw.bulk')).toBe(0);
    }, 10_000);
    await publish({ from: 10, to: 30 });
    await vi.waitFor(() => {
      expect(backlog('persistence-raw.bulk')).toBe(0);
    }, 10_000);
    expect(backlog('bigquery-raw.bulk')).toBe(30);
    expect(await fake.duck.run('select count(*) from readings_raw_rows')).toEqual([['0']]);

    isDown = false;
    await vi.waitFor(() => {
      expect(backlog('bigquery-raw.bulk')).toBe(0);
    }, 10_000);
    expect(await fake.duck.run('select count(distinct start) from readings_raw_rows')).toEqual([['30']]);
  } finally {
    drain.abort();
    await Promise.all(running);
  }
}, 30_000);

test('what the warehouse stores is told to nobody, and what it refuses is missing in no receipt', async () => {
  const stage = readingPersistence({ layer: 'raw', lane: 'bulk' });
  const write = { key: '0'.repeat(32), batch: batchOf([reading]) };
  const silent = withoutNotices(stage);
  expect((await stage.handle([write], undefined)).messages).toHaveLength(1);
  expect(await silent.handle([write], undefined)).toEqual({ writes: [write], messages: [] });
  expect(silent.origin(write)).toEqual({ ...stage.origin(write), layers: [] });
});
