import { gzipSync } from 'node:zlib';
import { subscriptionName, topicName } from '@meterflow/contracts';
import { runStage, silentTelemetry, stageLimits, TransientError } from '@meterflow/stage';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { csvHeader, csvLines, IngestStand } from './testing/ingest-stand.ts';

const lane = 'bulk';
const csv = csvHeader + csvLines(3);

describe('the providers’ topic', () => {
  let stand: IngestStand;
  let draining: AbortController;
  let running: Promise<void>;

  beforeEach(async () => {
    stand = await IngestStand.open();
    await stand.tenants.ensure('acme');
    start();
  });
  afterEach(async () => {
    await stop();
    await stand.close();
  });

  function start(): void {
    draining = new AbortController();
    const { platform, ingest, clock } = stand;
    const { stage, sink } = ingest.topicDoor(lane);
    const subscription = subscriptionName('ingest', lane);
    const ports = {
      source: platform.source(subscription),
      publisher: platform.publisher,
      deduper: platform.deduper(subscription),
      deadLetters: platform.deadLetters,
      ...{ sink, clock, telemetry: silentTelemetry },
    };
    running = runStage(stage, ports, { limits: stageLimits, owner: 'test', signal: draining.signal });
  }

  async function stop(): Promise<void> {
    draining.abort();
    await running;
  }

  async function publish(
    payload: string | Uint8Array,
    attributes: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    const said = { tenant: 'acme', 'content-type': 'text/csv', ...attributes };
    await stand.platform.publisher.publish([
      { topic: topicName('readings.pushed', lane), payload: Buffer.from(payload), attributes: said },
    ]);
  }

  /** Until nothing waits any more. */
  async function settled(): Promise<void> {
    const name = subscriptionName('ingest', lane);
    await expect
      .poll(() => stand.platform.bus.backlog().find(({ subscription }) => subscription === name)?.messages)
      .toBe(0);
  }

  const receipts = (): ReturnType<IngestStand['platform']['sources']['list']> =>
    stand.platform.sources.list('acme', { limit: 10 });
  const letters = async (): Promise<readonly string[]> => {
    const found = await stand.platform.deadLetters.list({ limit: 10 });
    return found.map(({ stage, tenant, reasonCode }) => `${stage} ${tenant} ${reasonCode}`);
  };

  test('brings what a push brings, with a receipt, through the lane of the topic', async () => {
    await publish(csv, { label: 'morning' });
    await settled();
    expect(stand.readings).toHaveLength(3);
    expect(stand.published.map(({ topic }) => topic)).toEqual([topicName('readings.accepted', lane)]);
    expect(await receipts()).toMatchObject([{ label: 'morning', received: 3, accepted: 3, rejected: 0 }]);
    expect(await letters()).toEqual([]);
  });

  test('takes packed content and other formats, and rejects bad lines alone', async () => {
    await publish(gzipSync(csv), { 'content-encoding': 'gzip' });
    await publish(
      '{"meter":"m2","channel":"import","start":"2015-01-01T00:00:00Z","value":1,"unit":"kWh"}\nnot json\n',
      {
        'content-type': 'application/x-ndjson',
      },
    );
    await settled();
    const taken = await receipts();
    expect(taken.map(({ accepted }) => accepted).toSorted()).toEqual([1, 3]);
    expect(taken.map(({ rejected }) => rejected).toSorted()).toEqual([0, 1]);
    expect(stand.readings).toHaveLength(4);
  });

  test('brings a message once, however often it is delivered, and what is published again as a source of its own', async () => {
    let failures = 2;
    stand.beforePublish = () => {
      failures -= 1;
      if (failures >= 0) {
        throw new TransientError('the bus is down');
      }
    };
    await publish(csv);
    await settled();
    expect(await receipts()).toHaveLength(1);
    await publish(csv);
    await settled();
    expect((await receipts()).map(({ sourceId }) => sourceId.split('.')[1])).toEqual(['1', '1']);
  });

  test('makes a dead letter of what it can not read, with its reason', async () => {
    await publish(`${csv} `, { tenant: '' });
    await publish(`${csv}\n`, { tenant: '../acme' });
    await publish(csv, { 'content-type': 'image/png' });
    await publish(`${csv}\n\n`, { sourceVersion: 'x' });
    await publish(csv, { tenant: 'nobody' });
    await publish(csv, { mapping: 'none' });
    await publish(Buffer.from([0x1f, 0x8b, 0, 0, 0]));
    await settled();
    expect((await letters()).toSorted()).toEqual([
      'ingest  unreadable-attributes',
      'ingest ../acme unreadable-attributes',
      'ingest acme damaged-content',
      'ingest acme unknown-mapping',
      'ingest acme unreadable-attributes',
      'ingest acme unreadable-attributes',
      'ingest nobody unknown-tenant',
    ]);
    expect(stand.readings).toEqual([]);
  });

  test('keeps to the tenant’s quotas: what is too much is a dead letter that may be retried', async () => {
    await stand.tenants.setQuotas('acme', { readingsPerDay: 0 });
    await publish(csv);
    await settled();
    expect(await letters()).toEqual(['ingest acme quota-exceeded']);
    await stand.tenants.setQuotas('acme', { readingsPerDay: 1_000 });
    const [letter] = await stand.platform.deadLetters.list({ limit: 1 });
    await stand.platform.deadLetters.retry([letter?.id ?? ''], { publisher: stand.platform.publisher });
    await settled();
    expect(stand.readings).toHaveLength(3);
  });

  test('settles what it has in hand before it ends, and goes on with the rest', async () => {
    await publish(csv);
    await stop();
    start();
    await settled();
    expect(await receipts()).toHaveLength(1);
  });
});
