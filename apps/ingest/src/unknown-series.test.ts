import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encodeReadingBatch, subscriptionName, topicName } from '@meterflow/contracts';
import { BatchBuilder, rawVersion, ReadingRow } from '@meterflow/readings';
import { SeriesRegistry } from '@meterflow/registry';
import { runStage, silentTelemetry, stageLimits } from '@meterflow/stage';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { csvHeader, csvLines, IngestStand, push } from './testing/ingest-stand.ts';

/** Two lines of a series that is registered, and between them two of one that is not. */
const mixed = csvHeader + csvLines(1) + csvLines(2, 'stranger') + csvLines(1, 'm1', Date.UTC(2015, 0, 2));
const refusal = {
  code: 'unknown-series',
  reason: 'the series stranger import is not registered, and others are not taken: register it, then send this again',
};

function mixedColumns(): Uint8Array {
  const builder = new BatchBuilder();
  const row = new ReadingRow();
  row.unit = builder.text('kWh');
  row.lengthMs = 1_800_000;
  for (const [index, meter] of ['m1', 'stranger', 'stranger', 'm1'].entries()) {
    row.version = builder.version(rawVersion(1, 0));
    row.series = builder.series(meter, 'import');
    row.startMs = Date.UTC(2015, 0, 1) + index * 1_800_000;
    row.line = index + 1;
    builder.append(row);
  }
  const header = { tenant: 'any', layer: 'raw', sourceId: 's', acceptedAtMs: 1, activation: 1 } as const;
  return encodeReadingBatch(builder.finish(header));
}

describe('readings of a series that is not registered', () => {
  let stand: IngestStand;
  let key: string;
  beforeEach(async () => {
    stand = await IngestStand.open();
    key = await stand.key('acme', 'operator');
    await register('m1');
  });
  afterEach(() => stand.close());

  const register = (meter: string): Promise<void> =>
    new SeriesRegistry({ registry: stand.platform.registry, nowMs: Date.now, cacheMs: 0 }).set(
      'acme',
      { meter, channel: 'import' },
      {},
    );
  const refuse = (): Promise<unknown> => stand.tenants.change('acme', { unknownSeries: 'refuse' });
  const kept = (): Promise<readonly unknown[]> =>
    stand.platform.registry.list('setting', { prefix: 'acme/unknown-series/', limit: 10 });

  test('are taken unless the tenant says otherwise, and make the series', async () => {
    const { json } = await push(stand, key, { body: mixed });
    expect(json).toMatchObject({ received: 4, accepted: 4, rejected: 0 });
    expect(await kept()).toEqual([]);
  });

  test.each([
    ['text/csv', mixed, [3, 4]],
    [
      'application/x-ndjson',
      ['m1', 'stranger', 'stranger', 'm1']
        .map((meter, index) =>
          JSON.stringify({ meter, channel: 'import', start: `2015-01-0${index + 1}T00:00:00Z`, value: 1, unit: 'kWh' }),
        )
        .join('\n'),
      [2, 3],
    ],
    ['application/x-protobuf', mixedColumns(), [2, 3]],
  ])(
    'are rejected line by line where it refuses them, and nothing else of a push of %s is lost',
    async (type, body, lines) => {
      await refuse();
      const { json, status } = await push(stand, key, { type, body });
      expect(status).toBe(200);
      expect(json).toMatchObject({ received: 4, accepted: 2, rejected: 2 });
      expect(json.rejects).toMatchObject(lines.map((line) => ({ line, ...refusal })));
      expect(stand.readings.map((reading) => reading.split(' ')[1])).toEqual(['m1', 'm1']);
      expect(await kept()).toEqual([]);
    },
  );

  test('are refused of a file as well, and taken when it comes again after they were registered', async () => {
    await refuse();
    const path = join(stand.root, 'may.csv');
    await writeFile(path, mixed);
    const imported = async (): Promise<unknown> => {
      const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
      const body = JSON.stringify({ path });
      const answer = await fetch(`${stand.url}/v1/imports`, { method: 'POST', headers, body });
      return JSON.parse((await answer.text()).trim().split('\n').at(-1)!) as unknown;
    };
    expect(await imported()).toMatchObject({ counts: { received: 4, accepted: 2, rejected: 2 } });
    await register('stranger');
    expect(await imported()).toMatchObject({ counts: { received: 4, accepted: 4, rejected: 0 } });
  });

  test('are refused of a message of the providers’ topic', async () => {
    await refuse();
    const { platform, ingest, clock } = stand;
    const { stage, sink } = ingest.topicDoor('bulk');
    const subscription = subscriptionName('ingest', 'bulk');
    const { publisher, deadLetters } = platform;
    const [source, deduper] = [platform.source(subscription), platform.deduper(subscription)];
    const draining = new AbortController();
    const running = runStage(
      stage,
      { source, publisher, deduper, deadLetters, sink, clock, telemetry: silentTelemetry },
      { limits: stageLimits, owner: 'test', signal: draining.signal },
    );
    const attributes = { tenant: 'acme', 'content-type': 'text/csv' };
    await publisher.publish([{ topic: topicName('readings.pushed', 'bulk'), payload: Buffer.from(mixed), attributes }]);
    const receipts = (): ReturnType<typeof platform.sources.list> => platform.sources.list('acme', { limit: 10 });
    await expect.poll(async () => (await receipts())[0]?.rejected).toBe(2);
    draining.abort();
    await running;
    expect(await receipts()).toMatchObject([
      { received: 4, accepted: 2, rejected: 2, rejects: [{ line: 3 }, { line: 4 }] },
    ]);
  });

  test('leave a source alone whose series are all registered', async () => {
    await refuse();
    const { json } = await push(stand, key, { body: csvHeader + csvLines(3) });
    expect(json).toMatchObject({ accepted: 3, rejected: 0 });
  });

  test('stay refused in a source that is resumed, so that it makes the same batches', async () => {
    await refuse();
    const resumed = await killedAndResumed(async () => {
      expect(await kept()).not.toEqual([]);
      await register('stranger');
    });
    expect(resumed).toMatchObject({ accepted: 80_000, rejected: 10 });
    expect(await kept()).toEqual([]);
  });

  test.each([
    ['refuse', 'create', { accepted: 80_000, rejected: 10 }],
    ['create', 'refuse', { accepted: 80_010, rejected: 0 }],
  ] as const)(
    'are treated in a source that is resumed as when it was begun: %s, though the tenant says %s by then',
    async (begun, then, counts) => {
      await stand.tenants.change('acme', { unknownSeries: begun });
      const resumed = await killedAndResumed(() => stand.tenants.change('acme', { unknownSeries: then }));
      expect(resumed).toMatchObject(counts);
    },
  );

  /** Of series some of which are not registered: killed at the second publish; makes the same batches again. */
  async function killedAndResumed(change: () => Promise<unknown>): Promise<object> {
    const body = csvHeader + csvLines(10, 'stranger') + csvLines(80_000);
    const request = { body, headers: { 'idempotency-key': randomUUID() } };
    let publishes = 0;
    stand.beforePublish = () => {
      publishes += 1;
      if (publishes === 2) {
        throw new Error('killed');
      }
    };
    expect((await push(stand, key, request)).status).toBe(500);
    const before = stand.published.map((batch) => batch.key);
    expect(before).not.toEqual([]);
    await change();
    stand.published.length = 0;
    const { json } = await push(stand, key, request);
    expect(stand.published.slice(0, before.length).map((batch) => batch.key)).toEqual(before);
    return json;
  }
});
