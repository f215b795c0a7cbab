import { connect } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { encodeReadingBatch, subscriptionName } from '@meterflow/contracts';
import { BatchBuilder, rawVersion, ReadingRow } from '@meterflow/readings';
import { TransientError } from '@meterflow/stage';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { csvHeader, csvLines, IngestStand, push, type StandOptions } from './testing/ingest-stand.ts';

let stand: IngestStand;
let tenant: string;
let key: string;
let tenants = 0;
/** Opened by a test for itself, and closed after it. */
const own: IngestStand[] = [];

async function openOwn(options: StandOptions = {}, root?: string): Promise<IngestStand> {
  const opened = await IngestStand.open(options, root);
  own.push(opened);
  return opened;
}

beforeAll(async () => {
  stand = await IngestStand.open();
});
beforeEach(async () => {
  stand.published.length = 0;
  stand.beforePublish = () => undefined;
  stand.backlogs = undefined;
  stand.clock.aheadMs = 0;
  tenants += 1;
  tenant = `acme-${tenants}`;
  key = await stand.key(tenant);
});
afterEach(async () => {
  for (const opened of own.splice(0)) {
    await opened.close();
  }
});
afterAll(() => stand.close());

const csv = `${csvHeader}m1,import,2024-01-01T00:00:00Z,2024-01-01T00:30:00Z,1.25,kWh
m2,export,2024-01-01T00:00:00Z,2024-01-01T01:00:00Z,2,kWh
`;
const rows = [
  {
    meter_id: 'm1',
    channel: 'import',
    start: '2024-01-01T00:00:00Z',
    end: '2024-01-01T00:30:00Z',
    value: 1.25,
    unit: 'kWh',
  },
  {
    meter_id: 'm2',
    channel: 'export',
    start: '2024-01-01T00:00:00Z',
    end: '2024-01-01T01:00:00Z',
    value: 2,
    unit: 'kWh',
  },
];
const texts = (...lines: number[]): string[] => [
  `${lines[0]} m1 import 2024-01-01T00:00:00Z/30m 1.25 kWh 0 0`,
  `${lines[1]} m2 export 2024-01-01T00:00:00Z/60m 2 kWh 0 0`,
];

/** The same two readings as columns, from somebody who says that they are somebody else. */
function columns(change: (row: ReadingRow, builder: BatchBuilder) => void = () => undefined): Uint8Array {
  const builder = new BatchBuilder();
  const row = new ReadingRow();
  rows.forEach(({ meter_id, channel, start, end, value, unit }) => {
    row.series = builder.series(meter_id, channel);
    row.startMs = Date.parse(start);
    row.lengthMs = Date.parse(end) - row.startMs;
    row.integer = value * 100;
    row.decimals = 2;
    row.unit = builder.text(unit);
    row.version = builder.version({ ...rawVersion(0, 77), activation: 9, ticket: 3 });
    change(row, builder);
    builder.append(row);
  });
  return encodeReadingBatch(
    builder.finish({ tenant: 'victim', layer: 'validated', sourceId: 'theirs.9', acceptedAtMs: 5, activation: 99 }),
  );
}

describe('a push', () => {
  test.each([
    ['text/csv', csv, [2, 3]],
    ['text/csv; charset=UTF-8', csv, [2, 3]],
    ['application/x-ndjson', rows.map((row) => JSON.stringify(row)).join('\n'), [1, 2]],
    ['application/json', JSON.stringify(rows), [1, 2]],
    ['application/x-protobuf; messageType="meterflow.v1.ReadingBatch"', columns(), [1, 2]],
  ])('of %s is on the bus when it is answered, with a receipt', async (type, body, lines) => {
    const answer = await push(stand, key, { type, body, query: '?label=may' });
    expect(answer.status).toBe(200);
    const { sourceId } = answer.json;
    expect(answer.json).toMatchObject({ received: 2, accepted: 2, rejected: 0, rejects: [], batches: 1, label: 'may' });
    expect(answer.json.links.receipt).toBe(`/v1/sources/${sourceId}`);
    expect(stand.readings).toEqual(texts(...lines));
    expect(stand.published).toMatchObject([
      { topic: 'readings.accepted.live', batch: { tenant, layer: 'raw', sourceId, activation: 0 } },
    ]);
    expect(await stand.platform.sources.receipt(tenant, sourceId)).toMatchObject({ accepted: 2, state: 'processing' });
  });

  test('of columns says nothing of tenant, layer, source, acceptance, activation and ticket, whatever it says', async () => {
    await push(stand, key, { type: 'application/x-protobuf', body: columns() });
    const { batch } = stand.published[0]!;
    expect(batch.acceptedAtMs).toBeGreaterThan(Date.UTC(2024, 0, 1));
    const { declared, acceptedAtMs, activation, ticket } = batch.columns.versions;
    expect([[...declared], [...acceptedAtMs], [...activation], [...ticket]]).toEqual([
      [0],
      [batch.acceptedAtMs],
      [0],
      [0],
    ]);
    expect(batch.cause).toBeUndefined();
  });

  test('of columns holds every reading to the rules of the other formats', async () => {
    const changes = [
      (row: ReadingRow) => (row.startMs = Date.UTC(1990, 0, 1)),
      (row: ReadingRow) => (row.startMs = Date.now() + 5 * 86_400_000),
      (row: ReadingRow, builder: BatchBuilder) => (row.unit = builder.text('parsec')),
    ];
    const codes: string[] = [];
    for (const change of changes) {
      const body = columns((row, builder) => {
        if (row.series === 1) {
          change(row, builder);
        }
      });
      const { json } = await push(stand, key, { type: 'application/x-protobuf', body });
      expect(json).toMatchObject({ received: 2, accepted: 1, rejected: 1, rejects: [{ line: 2 }] });
      codes.push(json.rejects[0]!.code);
    }
    expect(codes).toEqual(['too-old', 'in-the-future', 'unknown-unit']);
  });

  test.each([
    ['cut', columns().slice(0, -9)],
    ['random', Uint8Array.from({ length: 300 }, (_, index) => (index * 89) % 251)],
  ])('of columns that are %s is refused with the place', async (_, body) => {
    const { status, json } = await push(stand, key, { type: 'application/x-protobuf', body });
    expect(status).toBe(422);
    expect(json.code).toBe('unprocessable-content');
    expect(json.errors[0]).toMatchObject({ at: 'body' });
    expect(stand.published).toEqual([]);
  });

  test.each([
    ['gzip', gzipSync(csv)],
    ['x-gzip', gzipSync(csv)],
    ['zstd', zstdCompressSync(csv)],
    ['identity', Buffer.from(csv)],
  ])('in %s is unpacked', async (encoding, body) => {
    const answer = await push(stand, key, { body, headers: { 'content-encoding': encoding } });
    expect(answer.json).toMatchObject({ accepted: 2 });
    expect(stand.readings).toEqual(texts(2, 3));
  });

  test.each([
    ['gzip', gzipSync(csv).subarray(0, -12)],
    ['gzip', Buffer.from(csv)],
    ['zstd', zstdCompressSync(csv).subarray(0, -6)],
    ['zstd', Buffer.from(csv)],
  ])('whose %s is damaged or cut is refused, and nothing is left of it', async (encoding, body) => {
    const headers = { 'content-encoding': encoding, 'idempotency-key': 'k' };
    const { status, json } = await push(stand, key, { body, headers });
    expect([status, json.code]).toEqual([422, 'unprocessable-content']);
    expect(await stand.platform.sources.list(tenant, { limit: 10 })).toEqual([]);
    expect((await push(stand, key, { body: csv, headers: { 'idempotency-key': 'k' } })).status).toBe(200);
  });

  test.each(['gzip', 'zstd'])('that is a %s bomb ends at the limit of unpacked bytes', async (encoding) => {
    await stand.tenants.setQuotas(tenant, { bytesPerRequest: 20_000_000 });
    const zeros = Buffer.alloc(200_000_000, 'm1,import\n');
    const body = encoding === 'gzip' ? gzipSync(zeros) : zstdCompressSync(zeros);
    expect(body.length).toBeLessThan(1_000_000);
    const { status, json } = await push(stand, key, { body, headers: { 'content-encoding': encoding } });
    expect([status, json.code]).toEqual([413, 'body-too-large']);
    expect(await stand.uploadCount()).toBe(0);
    expect(await stand.platform.sources.list(tenant, { limit: 10 })).toEqual([]);
  });

  test.each([
    [{ type: 'application/xml' }, 415],
    [{ type: 'application/x-protobuf; messageType=meterflow.v1.StoredNotice' }, 415],
    [{ type: 'text/csv; charset=utf-16' }, 415],
    [{ headers: { 'content-encoding': 'br' } }, 415],
    [{ headers: { 'content-encoding': 'gzip, gzip' } }, 415],
    [{ headers: { 'idempotency-key': 'k'.repeat(201) } }, 400],
    [{ query: '?tenant=other' }, 400],
    [{ query: '?sourceVersion=-1' }, 400],
    [{ query: '?mapping=nowhere' }, 404],
    [{ type: 'application/x-protobuf', query: '?mapping=london' }, 400],
    [{ body: '' }, 422],
    [{ body: 'a,b,c\n1,2,3\n' }, 422],
    [{ type: 'application/json', body: '[{"a":' }, 422],
  ])('with %j is refused with %i', async (options, status) => {
    const answer = await push(stand, key, { body: csv, ...options });
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(stand.published).toEqual([]);
  });

  test('with bad lines takes the good ones, and tells line, column and reason of the others', async () => {
    const body = `${csvHeader}${csvLines(2)}m1,import,yesterday,,1,kWh\nm1,import,2024-02-01T00:00:00Z,,1,parsec\n${csvLines(1, 'm2')}`;
    const { json } = await push(stand, key, { body });
    expect(json).toMatchObject({ received: 5, accepted: 3, rejected: 2 });
    expect(json.rejects).toMatchObject([
      { line: 4, column: 'start', code: 'invalid-time' },
      { line: 5, column: 'unit', code: 'unknown-unit' },
    ]);
  });

  test('keeps all rejects, page by page, and shows the first', async () => {
    const body = `${csvHeader}${'m1,import,never,,1,kWh\n'.repeat(2_500)}`;
    const { json } = await push(stand, key, { body });
    expect(json).toMatchObject({ accepted: 0, rejected: 2_500 });
    expect(json.rejects).toHaveLength(20);
    const lines: number[] = [];
    for (let afterLine = 0; ; afterLine = lines.at(-1)!) {
      const page = await stand.platform.sources.rejects(tenant, json.sourceId, { limit: 1_000, afterLine });
      lines.push(...page.map(({ line }) => line));
      if (page.length < 1_000) {
        break;
      }
    }
    expect(lines).toEqual(Array.from({ length: 2_500 }, (_, index) => index + 2));
  });

  test('declares a version for all lines where asked to', async () => {
    await push(stand, key, { body: csv, query: '?sourceVersion=7' });
    expect(stand.readings.every((text) => text.endsWith(' 7'))).toBe(true);
  });

  test('of readings older than the retention loses those alone', async () => {
    const short = await openOwn({ readingsRetentionDays: 30 });
    const body = `${csvHeader}${csvLines(1, 'm1', Date.now() - 30 * 86_400_000)}${csvLines(1, 'm1', Date.now() - 28 * 86_400_000)}`;
    const { json } = await push(short, await short.key(tenant), { body });
    expect(json).toMatchObject({ accepted: 1, rejected: 1, rejects: [{ line: 2, code: 'too-old' }] });
  });
});

describe('an Idempotency-Key', () => {
  const headers = { 'idempotency-key': 'order-66' };

  test('that comes again with the same content is answered with the first receipt', async () => {
    const first = await push(stand, key, { body: csv, headers });
    const again = await push(stand, key, { body: csv, headers: { 'idempotency-key': '"order-66"' } });
    expect(first.headers.get('idempotent-replayed')).toBeNull();
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect(again.json).toMatchObject({ sourceId: first.json.sourceId, accepted: 2 });
    expect(stand.published).toHaveLength(1);
    expect(await stand.platform.sources.list(tenant, { limit: 10 })).toHaveLength(1);
  });

  test('that comes again with the same content packed otherwise is the same', async () => {
    const first = await push(stand, key, { body: csv, headers });
    const again = await push(stand, key, { body: gzipSync(csv), headers: { ...headers, 'content-encoding': 'gzip' } });
    expect(again.json.sourceId).toBe(first.json.sourceId);
  });

  test.each([
    ['other content', { body: `${csv}m3,import,2024-01-01T00:00:00Z,2024-01-01T00:30:00Z,1,kWh\n` }],
    ['another type', { type: 'application/x-ndjson' }],
    ['another mapping', { query: '?mapping=default' }],
    ['another version', { query: '?sourceVersion=2' }],
  ])('with %s is a conflict, and nothing of it is taken', async (_, other) => {
    await push(stand, key, { body: csv, headers });
    const { status, json } = await push(stand, key, { body: csv, headers, ...other });
    expect([status, json.code]).toEqual([409, 'idempotency-key-reused']);
    expect(stand.published).toHaveLength(1);
  });

  test('with other content is a conflict while the first is unfinished, too', async () => {
    stand.beforePublish = () => {
      throw new Error('killed');
    };
    expect((await push(stand, key, { body: csv, headers })).status).toBe(500);
    stand.beforePublish = () => undefined;
    expect((await push(stand, key, { body: `${csv}\nx`, headers })).status).toBe(409);
    expect((await push(stand, key, { body: csv, headers })).status).toBe(200);
  });

  test('of another tenant is another', async () => {
    const other = await stand.key('other');
    const first = await push(stand, key, { body: csv, headers });
    const second = await push(stand, other, { body: `${csv}\n`, headers });
    expect(second.status).toBe(200);
    expect(second.json.sourceId).not.toBe(first.json.sourceId);
    expect(stand.published.map(({ batch }) => batch.tenant)).toEqual([tenant, 'other']);
  });

  test('that comes twice at the same time makes one source, its batches with the same keys', async () => {
    const answers = await Promise.all([
      push(stand, key, { body: csv, headers }),
      push(stand, key, { body: csv, headers }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(new Set(answers.map(({ json }) => json.sourceId)).size).toBe(1);
    expect(new Set(stand.published.map((batch) => batch.key)).size).toBe(1);
    expect(await stand.platform.sources.acceptedOn(tenant, Date.now())).toBe(2);
  });

  test('of a refused source is refused again, with the same reason', async () => {
    const body = 'a,b,c\n1,2,3\n';
    const first = await push(stand, key, { body, headers });
    const again = await push(stand, key, { body, headers });
    expect([first.status, again.status]).toEqual([422, 422]);
    expect(again.json.errors).toEqual(first.json.errors);
  });

  test('is not needed: without one each request is an acceptance of its own', async () => {
    const ids = [await push(stand, key, { body: csv }), await push(stand, key, { body: csv })];
    expect(new Set(ids.map(({ json }) => json.sourceId)).size).toBe(2);
  });
});

describe('durability', () => {
  const headers = { 'idempotency-key': 'k' };
  const body = csvHeader + csvLines(9_000);

  test('no answer comes before every batch is on the bus', async () => {
    const waiting = (): number =>
      stand.platform.bus.backlog().find(({ subscription }) => subscription === 'persistence-raw.live')?.messages ?? 0;
    const before = waiting();
    const gate = Promise.withResolvers<undefined>();
    stand.beforePublish = () => gate.promise;
    let answered = false;
    const pushed = push(stand, key, { body }).finally(() => {
      answered = true;
    });
    await wait(200);
    expect(answered).toBe(false);
    gate.resolve(undefined);
    expect((await pushed).json).toMatchObject({ accepted: 9_000, batches: 3 });
    expect(waiting() - before).toBe(3);
  });

  test('what died between publishes is resumed with the same batches, under the same source', async () => {
    const whole = await openOwn();
    await push(whole, await whole.key(tenant), { body, headers });
    const keysOf = (from: IngestStand) =>
      from.published.map(({ batch }) => [batch.firstLine, batch.columns.values.length]);
    let publishes = 0;
    stand.beforePublish = () => {
      publishes += 1;
      if (publishes === 1) {
        throw new Error('killed');
      }
    };
    expect((await push(stand, key, { body, headers })).status).toBe(500);
    const [unfinished] = await stand.platform.sources.list(tenant, { limit: 1 });
    expect(unfinished?.state).toBe('receiving');
    stand.clock.aheadMs = 60_000;
    const { json } = await push(stand, key, { body, headers });
    expect(json.sourceId).toBe(unfinished?.sourceId);
    expect(keysOf(stand)).toEqual(keysOf(whole));
    expect(new Set(stand.published.map(({ batch }) => batch.acceptedAtMs)).size).toBe(1);
  });

  test('what was published before the end of the process has the same key when it comes again', async () => {
    const release = Promise.withResolvers<undefined>();
    const before: string[] = [];
    const larger = csvHeader + csvLines(80_000);
    stand.beforePublish = (messages) => {
      before.push(String(messages.length));
      return before.length === 2 ? release.promise : undefined;
    };
    const first = push(stand, key, { body: larger, headers });
    while (before.length < 2) {
      await wait(10);
    }
    const published = stand.published.map((batch) => batch.key);
    expect(published.length).toBeGreaterThan(0);
    stand.beforePublish = () => undefined;
    const { json } = await push(stand, key, { body: larger, headers });
    expect(json).toMatchObject({ accepted: 80_000, batches: 20 });
    const all = stand.published.map((batch) => batch.key);
    expect(all.slice(published.length, published.length * 2)).toEqual(published);
    expect(new Set(all).size).toBe(20);
    release.resolve(undefined);
    await first;
  });

  test('a bus that is down for a moment is waited for', async () => {
    let failures = 2;
    stand.beforePublish = () => {
      if (failures-- > 0) {
        throw new TransientError('down');
      }
    };
    expect((await push(stand, key, { body: csv })).status).toBe(200);
  });
});

describe('a body', () => {
  test('that is large is spooled, goes through the bulk lane, and leaves nothing behind', async () => {
    const spooling = await openOwn({ bodyInMemoryBytesMax: 10_000 });
    const { json } = await push(spooling, await spooling.key(tenant), { body: csvHeader + csvLines(5_000) });
    expect(json).toMatchObject({ accepted: 5_000 });
    expect(new Set(spooling.published.map(({ topic }) => topic))).toEqual(new Set(['readings.accepted.bulk']));
    expect(spooling.readings).toHaveLength(5_000);
    expect(await spooling.uploadCount()).toBe(0);
  });

  test.each([1_000, 100_000])(
    'whose sender goes away after some of it leaves nothing behind (%i bytes)',
    async (sent) => {
      const spooling = await openOwn({ bodyInMemoryBytesMax: 10_000 });
      const sender = await spooling.key(tenant);
      const socket = connect(Number(new URL(spooling.url).port), '127.0.0.1');
      socket.write(
        `POST /v1/readings HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${sender}\r\ncontent-type: text/csv\r\n` +
          `idempotency-key: k\r\ncontent-length: 1000000\r\n\r\n${csvHeader}${csvLines(3_000).slice(0, sent)}`,
      );
      await wait(150);
      socket.destroy();
      for (let looks = 0; looks < 50 && (await spooling.uploadCount()) > 0; looks++) {
        await wait(20);
      }
      expect(await spooling.uploadCount()).toBe(0);
      expect(spooling.published).toEqual([]);
      expect(await spooling.platform.sources.list(tenant, { limit: 10 })).toEqual([]);
    },
  );
});

describe('back pressure', () => {
  /** Each test looks at another time, as looks are shared for a while. */
  let looks = 1;
  const behind = (change: object) => [
    { subscription: subscriptionName('persistence-raw', 'live'), bytes: 0, oldestPublishedAtMs: undefined, ...change },
  ];

  test.each([
    ['bytes', { bytes: 2 * 1024 ** 3 }],
    ['age', { bytes: 1, oldestPublishedAtMs: Date.now() - 7_200_000 }],
  ])('refuses pushes while the live lane is behind by %s, and takes them when it is not', async (_, change) => {
    stand.clock.aheadMs = looks++ * 60_000;
    stand.backlogs = behind(change);
    const { status, json, headers } = await push(stand, key, { body: csv });
    expect([status, json.code]).toEqual([429, 'overloaded']);
    expect(Number(headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    stand.backlogs = behind({});
    stand.clock.aheadMs += 1_000;
    expect((await push(stand, key, { body: csv })).status).toBe(200);
  });

  test('is not for what waits in the bulk lane, or for a listener that is none of our stages', async () => {
    stand.clock.aheadMs = looks++ * 60_000;
    stand.backlogs = ['persistence-raw.bulk', 'archive.live'].map((subscription) => ({
      ...behind({ bytes: 1e12 })[0]!,
      subscription,
    }));
    expect((await push(stand, key, { body: csv })).status).toBe(200);
  });

  test('comes from the bus itself', async () => {
    const strict = await openOwn({ liveBacklogBytesMax: 10 });
    const sender = await strict.key(tenant);
    expect((await push(strict, sender, { body: csv })).status).toBe(200);
    strict.clock.aheadMs += 1_000;
    expect((await push(strict, sender, { body: csv })).status).toBe(429);
  });

  test('refuses one more request than may be in work', async () => {
    const strict = await openOwn({ requestsInWorkMax: 2 });
    const sender = await strict.key(tenant);
    const gate = Promise.withResolvers<undefined>();
    strict.beforePublish = () => gate.promise;
    const pushed = [push(strict, sender, { body: csv }), push(strict, sender, { body: csv })];
    await wait(150);
    const { status, json } = await push(strict, sender, { body: csv });
    expect([status, json.code]).toEqual([429, 'overloaded']);
    gate.resolve(undefined);
    expect((await Promise.all(pushed)).map((answer) => answer.status)).toEqual([200, 200]);
    expect((await push(strict, sender, { body: csv })).status).toBe(200);
  });
});

describe('quotas', () => {
  test('of readings a day hold through a restart, for their tenant alone, until the next day', async () => {
    const before = await openOwn();
    const sender = await before.key(tenant, 'provider', { readingsPerDay: 3 });
    expect((await push(before, sender, { body: csv })).status).toBe(200);
    expect((await push(before, sender, { body: csv })).status).toBe(200);
    await before.end();
    own.splice(0);
    const after = await openOwn({}, before.root);
    after.backlogs = [];
    const refused = await push(after, sender, { body: csv });
    expect([refused.status, refused.json.code]).toEqual([429, 'quota-exceeded']);
    const retryAfterMs = Number(refused.headers.get('retry-after')) * 1_000;
    expect((Date.now() + retryAfterMs) % 86_400_000).toBeLessThan(10_000);
    expect((await push(after, await after.key('other'), { body: csv })).status).toBe(200);
    after.clock.aheadMs = retryAfterMs + 1_000;
    expect((await push(after, sender, { body: csv })).status).toBe(200);
  });

  test('of bytes bound a request, packed and unpacked', async () => {
    const small = await stand.key(`small-${tenant}`, 'provider', { bytesPerRequest: 100 });
    expect((await push(stand, small, { body: 'x'.repeat(101) })).status).toBe(413);
    const headers = { 'content-encoding': 'gzip' };
    expect((await push(stand, small, { body: gzipSync('x'.repeat(5_000)), headers })).status).toBe(413);
  });

  test('of requests bound a minute', async () => {
    const slow = await stand.key(`slow-${tenant}`, 'provider', { requestsPerMinute: 2 });
    const statuses: number[] = [];
    for (let request = 0; request < 3; request++) {
      statuses.push((await push(stand, slow, { body: csv })).status);
    }
    expect(statuses).toEqual([200, 200, 429]);
  });
});
