import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AggregateBatchBuilder, AggregateRow, wholeWindow } from '@meterflow/aggregates';
import { encodeReadingBatch, messageAttributes } from '@meterflow/contracts';
import { BatchBuilder, rawVersion, ReadingRow, type ReadingBatch } from '@meterflow/readings';
import { aggregateWrite } from '@meterflow/idempotent-writes/testing';
import { DueRecomputes, GroupRegistry, groupSchema, RegisterCalendars } from '@meterflow/registry';
import { eraseEverywhere, knownErasures } from '@meterflow/service';
import { silentTelemetry } from '@meterflow/stage';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { exportCanonical } from '../export/export-canonical.ts';
import { openEmbeddedPlatform, type EmbeddedPlatform } from '../open-platform.ts';
import { openSqlEngine } from '../sql/open-sql-engine.ts';
import { fillStores } from '../testing/filled-stores.ts';
import { erasablePlaces } from './erasable-places.ts';

const hourMs = 3_600_000;
let root: string;
let here: EmbeddedPlatform;
let there: EmbeddedPlatform;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'erase-'));
  here = openEmbeddedPlatform({ root, owner: 'here', telemetry: silentTelemetry });
  there = openEmbeddedPlatform({ root, owner: 'there', telemetry: silentTelemetry });
});

afterEach(async () => {
  await here.close();
  await there.close();
  rmSync(root, { recursive: true });
});

async function fill(): Promise<void> {
  const readings = ['m1', 'm2'].flatMap((meter) =>
    Array.from({ length: 48 }, (_, hour) => ({
      meter,
      startMs: hour * hourMs,
      lengthMs: hourMs,
      integer: 7,
      decimals: 1,
    })),
  );
  await fillStores(root, [...readings, ...readings.map((reading) => ({ ...reading, tenant: 'acme' }))]);
}

function batchOf(meter: string, acceptedAtMs: number): ReadingBatch {
  const builder = new BatchBuilder();
  const row = new ReadingRow();
  row.series = builder.series(meter, 'import');
  row.unit = builder.text('kWh');
  row.version = builder.version(rawVersion(0, acceptedAtMs));
  row.lengthMs = hourMs;
  row.integer = 7;
  builder.append(row);
  return builder.finish({ tenant: 'acme', layer: 'validated', sourceId: 's.1', acceptedAtMs, activation: 1 });
}

async function exported(): Promise<string> {
  let text = '';
  await exportCanonical({
    directory: root,
    write: (lines) => {
      text += lines;
      return Promise.resolve();
    },
  });
  return text;
}

async function sqlCount(where: string): Promise<string> {
  const engine = openSqlEngine({ directory: root });
  try {
    const sql = `select (select count(*) from readings where ${where}) + (select count(*) from readings_raw where ${where})
      + (select count(*) from aggregates where ${where}) as n`;
    for await (const [cell] of await engine.query({ sql })) {
      return cell ?? '';
    }
    return '';
  } finally {
    await engine.close();
  }
}

test('a tenant is erased wherever it is, and a second look finds nothing', async () => {
  await fill();
  const proof = await eraseEverywhere(erasablePlaces(here), { tenant: 'acme', upToMs: 5_000, id: 'x' });
  expect(proof.erased.raw).toEqual({ series: 2, rows: 4, historyRows: 0 });
  expect(proof.erased.validated).toEqual({ series: 2, rows: 4, historyRows: 0 });
  expect(proof.erased.aggregates).toEqual({ series: 2, rows: 6, historyRows: 0 });
  const nothing = { series: 0, rows: 0, historyRows: 0 };
  expect(proof.found).toEqual({
    ...{ raw: nothing, validated: nothing, aggregates: nothing },
    ...{ receipts: { labels: 0, rejects: 0 }, deadLetters: { purged: 0, reduced: 0 }, droppedFiles: 0 },
  });
  const text = await exported();
  expect(text).not.toContain('acme');
  expect(text).toContain('default');
  expect(await sqlCount("tenant = 'acme'")).toBe('0');
  expect(await sqlCount("tenant = 'default'")).not.toBe('0');
  for (const name of ['raw', 'validated', 'aggregates'] as const) {
    const inFile = readFileSync(here.directory.store(name), 'latin1').split('m1').length - 1;
    expect(inFile, "the other tenant's: its row and the row's place in the index").toBe(2);
  }
});

test('another process that knows the series, and is at work, brings nothing back', async () => {
  await fill();
  const store = there.readings('validated');
  await store.write([{ key: 'a'.repeat(32), batch: batchOf('m1', 2) }]);
  await eraseEverywhere(erasablePlaces(here), { tenant: 'acme', series: { meter: 'm1' }, upToMs: 5_000, id: 'x' });
  const [late] = await store.write([{ key: 'b'.repeat(32), batch: batchOf('m1', 5_000) }]);
  expect(late).toMatchObject({ inserted: 0, shadowed: 1 });
  expect(await sqlCount("tenant = 'acme' and meter = 'm1'")).toBe('0');
  expect(await sqlCount("tenant = 'acme' and meter = 'm2'")).not.toBe('0');
  const [later] = await store.write([{ key: 'c'.repeat(32), batch: batchOf('m1', 5_001) }]);
  expect(later).toMatchObject({ inserted: 1 });
});

test('the registry tells of every erasure, so that a restore can apply it', async () => {
  const series = { meter: 'm1', channel: 'import' };
  const request = { tenant: 'acme', series, upToMs: 5_000, id: 'x' };
  const { ticket } = await eraseEverywhere(erasablePlaces(here), request);
  const [entry] = await there.registry.list('erasure', { prefix: 'acme/', limit: 9 });
  expect(entry?.value).toEqual({ tenant: 'acme', ...series, upToMs: 5_000, ticket });
  expect(await knownErasures(there.registry)).toEqual([{ ...request, ticket }]);
});

test('a channel takes the registers of the tenant’s calendars with it, and leaves those of another channel', async () => {
  const calendars = new RegisterCalendars({ registry: here.registry, nowMs: () => 0, cacheMs: 0 });
  await calendars.put('acme', 'gas-day', { dayStartsAt: '06:00' });
  const builder = new AggregateBatchBuilder();
  const row = Object.assign(new AggregateRow(), {
    hour: wholeWindow,
    count: 1,
    sumLow: 7,
    expected: 1,
    peakOffsetMs: 0,
  });
  for (const channel of ['import@gas-day', 'export@gas-day']) {
    const series = builder.series('m1', channel);
    builder.begin({ series, startMs: 6 * hourMs, endMs: 30 * hourMs, unit: builder.text('kWh'), decimals: 0 });
    builder.append(row);
  }
  const ticket = await here.tickets.take('acme');
  const batch = builder.finish({ tenant: 'acme', level: 'day', ticket, causes: [] });
  await here.aggregates.write([{ key: 'd'.repeat(32), batch }]);
  const series = { meter: 'm1', channel: 'import' };
  const proof = await eraseEverywhere(erasablePlaces(here), { tenant: 'acme', series, upToMs: 5_000, id: 'x' });
  expect(proof.erased.aggregates.rows).toBe(1);
  expect(proof.found.aggregates.rows).toBe(0);
  expect(await exported()).not.toContain('import@gas-day');
  expect(await exported()).toContain('export@gas-day');
});

async function makeStreet(): Promise<void> {
  const kept = { channel: 'import', timeZone: 'UTC', intervalMs: hourMs, source: { kind: 'members' } };
  await new GroupRegistry(here.registry).put('acme', groupSchema.parse({ name: 'street', ...kept }));
}

test('sums of groups that hold something of it are noted to be computed anew, before it is gone', async () => {
  await fill();
  const erase = (series: { meter: string }, id: string) =>
    eraseEverywhere(erasablePlaces(here), { tenant: 'acme', series, upToMs: 5_000, id });
  const due = new DueRecomputes({ registry: here.registry, nowMs: () => 5_000, newId: () => 'n' });
  expect((await erase({ meter: 'm2' }, 'x')).due).toBeUndefined();
  await makeStreet();
  await erase({ meter: 'm1' }, 'y');
  const days = [{ series: { meter: 'm1', channel: 'import' }, fromMs: 0, toMs: 48 * hourMs }];
  expect(await due.list()).toMatchObject([{ tenant: 'acme', scope: { of: 'days', days } }]);
  // Nothing is left that a group could hold.
  expect((await erase({ meter: 'm1' }, 'z')).due).toBeUndefined();
});

test('one that ended after its note goes on where it was', async () => {
  await fill();
  await makeStreet();
  const request = { tenant: 'acme', series: { meter: 'm1' }, upToMs: 5_000, id: 'x' };
  const places = erasablePlaces(here);
  const readings = (): never => {
    throw new Error('ended');
  };
  await expect(eraseEverywhere({ ...places, readings }, request)).rejects.toThrow('ended');
  const [noted] = await new DueRecomputes({ registry: here.registry, nowMs: () => 5_000, newId: () => 'n' }).list();
  const proof = await eraseEverywhere(places, request);
  expect(proof).toMatchObject({ due: { id: 'x', scope: noted?.scope }, erased: { validated: { rows: 2 } } });
  expect((await eraseEverywhere(places, request)).erased.validated.rows).toBe(0);
});

test('applied again, it is what it was: what was computed and stored since stays', async () => {
  await fill();
  const request = { tenant: 'acme', series: { meter: 'm1' }, upToMs: 5_000, id: 'x' };
  const { ticket } = await eraseEverywhere(erasablePlaces(here), request);
  await here.readings('validated').write([{ key: 'c'.repeat(32), batch: batchOf('m1', 5_001) }]);
  const sheets = [{ startMs: 0, endMs: 24 * hourMs, sums: { 0: 7, 255: 7 } }];
  await here.aggregates.write([aggregateWrite({ ticket: await here.tickets.take('acme'), sheets })]);
  const before = await exported();
  expect(before).toContain('"m1"');
  const again = await eraseEverywhere(erasablePlaces(here), request);
  expect(again.ticket).toBe(ticket);
  const nothing = { series: 0, rows: 0, historyRows: 0 };
  expect(again.erased).toMatchObject({ raw: nothing, validated: nothing, aggregates: nothing });
  expect(await exported()).toBe(before);
});

test('what is kept for a replay is counted, with the time until when', async () => {
  there.bus.declareTopic('t');
  const message = {
    payload: encodeReadingBatch(batchOf('m1', 1)),
    attributes: messageAttributes('ReadingBatch', 'acme'),
  };
  await there.publisher.publish([{ topic: 't', ...message }]);
  const { kept } = await eraseEverywhere(erasablePlaces(here), { tenant: 'acme', upToMs: 5_000, id: 'x' });
  expect(kept.messages).toBe(1);
  expect(kept.untilMs).toBeGreaterThan(Date.now());
});

test('files that the drop folder has taken go with a tenant, and are named as kept otherwise', async () => {
  const folder = join(root, 'drop', 'acme', 'done');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'a.csv'), 'm1');
  const series = await eraseEverywhere(erasablePlaces(here), {
    tenant: 'acme',
    series: { meter: 'm1' },
    upToMs: 5_000,
    id: 'x',
  });
  expect(series).toMatchObject({ droppedFilesKept: 1, erased: { droppedFiles: 0 } });
  const tenant = await eraseEverywhere(erasablePlaces(here), { tenant: 'acme', upToMs: 5_000, id: 'y' });
  expect(tenant).toMatchObject({ droppedFilesKept: 0, erased: { droppedFiles: 1 } });
  expect(existsSync(join(folder, 'a.csv'))).toBe(false);
});
