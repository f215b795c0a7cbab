import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { noOutcomes, type ReadingWrite } from '@meterflow/idempotent-writes';
import { aggregateWrite, canonicalRows, shownAggregates, writeOf } from '@meterflow/idempotent-writes/testing';
import { epochMs, type PlainReading } from '@meterflow/readings/testing';
import { FatalError, IntegrityError, PermanentError, TransientError } from '@meterflow/stage';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openAggregateStore, type EmbeddedAggregateStore } from './aggregate-store.ts';
import { openReadingStore, type EmbeddedReadingStore } from './reading-store.ts';

const slotMs = 900_000;
const dayMs = 96 * slotMs;

let root: string;
let file: string;
const opened: { close(): void }[] = [];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'meterflow-stores-'));
  file = join(root, 'raw.sqlite');
});

afterEach(() => {
  opened.splice(0).forEach((store) => {
    store.close();
  });
  rmSync(root, { recursive: true });
});

function open(bytesMax?: number): EmbeddedReadingStore {
  const store = openReadingStore({ file, layer: 'raw', ...(bytesMax === undefined ? {} : { bytesMax }) });
  opened.push(store);
  return store;
}

function openAggregates(): EmbeddedAggregateStore {
  const store = openAggregateStore({ file: join(root, 'aggregates.sqlite') });
  opened.push(store);
  return store;
}

function closeAll(): void {
  opened.splice(0).forEach((store) => {
    store.close();
  });
}

function readings(count: number, change: Partial<PlainReading> = {}): PlainReading[] {
  return Array.from({ length: count }, (_, slot) => ({
    meter: 'm1',
    channel: 'import',
    startMs: epochMs + slot * slotMs,
    lengthMs: slotMs,
    integer: slot,
    decimals: 3,
    quality: 0,
    unit: 'kWh',
    reason: '',
    declared: 0,
    ...change,
  }));
}

const write = (count: number, change: Partial<PlainReading> = {}, acceptedAtMs = 1_000): ReadingWrite =>
  writeOf({ acceptedAtMs, readings: readings(count, change) });
const m1 = { meter: 'm1', channel: 'import' };
const all = { tenant: 'acme', ...m1, layer: 'raw' as const, fromMs: 0, toMs: 1e14 };

describe('what lasts', () => {
  test('a store opened again has everything, and knows what it counted before', async () => {
    const first = write(96);
    await open().write([first]);
    closeAll();
    const store = open();
    expect(await canonicalRows(store, m1)).toHaveLength(96);
    expect(await store.write([first])).toEqual([{ ...noOutcomes, inserted: 96 }]);
  });

  test('a group of which one batch is refused leaves nothing, and the store goes on', async () => {
    const store = open();
    const bad = write(1, { startMs: -5 * dayMs });
    await expect(store.write([write(96), bad])).rejects.toThrow(PermanentError);
    expect(await store.read(all)).toEqual([]);
    expect(await store.write([write(96)])).toEqual([{ ...noOutcomes, inserted: 96 }]);
  });

  test('what is superseded is in the history, once for each value that was replaced, and so is what came late', async () => {
    const store = open();
    await store.write([write(4), write(4, { integer: 70 }, 2_000)]);
    await store.write([write(1, { integer: 80 }, 3_000), write(1, { integer: 60 }, 1_500)]);
    const history = await store.history(all);
    expect(
      history.flatMap(({ columns }) => [...columns.values].map((value) => value / 10 ** columns.decimals)),
    ).toEqual([0, 0.001, 0.002, 0.003, 0.07, 0.06]);
    expect((await store.read(all))[0]?.columns.values[0]).toBe(8);
  });

  test('of the history it is known who brought what never stood, and what took a place under the same version', async () => {
    const store = open();
    const from = (sourceId: string, each: ReadingWrite): ReadingWrite => ({
      ...each,
      batch: { ...each.batch, sourceId },
    });
    await store.write([from('first', write(1, { integer: 1 }))]);
    await store.write([from('greater', write(1, { integer: 3 })), from('less', write(1, { integer: 2 }))]);
    await store.write([from('later', write(1, { integer: 4 }, 2_000))]);
    const history = await store.history(all);
    expect(history.map(({ columns, by }) => [columns.values[0], by?.how, by?.sourceId])).toEqual([
      [1, 'displaced', 'greater'],
      [2, 'brought', 'less'],
      [3, undefined, undefined],
    ]);
  });
});

describe('two openers of one file', () => {
  test('each sees what the other has written, and writes go into one state', async () => {
    const [a, b] = [open(), open()];
    await a.write([write(4)]);
    expect(await canonicalRows(b, m1)).toHaveLength(4);
    expect(await b.write([write(8)])).toEqual([{ ...noOutcomes, inserted: 4, duplicate: 4 }]);
    expect(await a.write([write(12, { meter: 'm2' }), write(12)])).toEqual([
      { ...noOutcomes, inserted: 12 },
      { ...noOutcomes, inserted: 4, duplicate: 8 },
    ]);
    await b.write([write(2, { meter: 'm3' })]);
    await a.write([write(2, { meter: 'm4' })]);
    expect([...b.series()].map(({ meter }) => meter)).toEqual(['m1', 'm2', 'm3', 'm4']);
    expect(await canonicalRows(b, { meter: 'm4', channel: 'import' })).toHaveLength(2);
  });

  test('a reader in the middle of an enumeration holds up no writer', async () => {
    const [writer, reader] = [open(), open()];
    await writer.write([write(1_000), write(10, { meter: 'm2' })]);
    const segments = reader.segments()[Symbol.iterator]();
    segments.next();
    expect(await writer.write([write(1, { meter: 'm3' })])).toEqual([{ ...noOutcomes, inserted: 1 }]);
    segments.return?.();
  });
});

describe('enumerations', () => {
  test('segments come by tenant, meter, channel and day, or in the order of the file', async () => {
    const store = open();
    await store.write([
      write(100, { meter: 'z' }),
      write(1, { meter: 'a', channel: 'import' }),
      write(1, { meter: 'a', channel: 'export' }),
      writeOf({ acceptedAtMs: 1, readings: readings(1) }, { tenant: 'abel' }),
    ]);
    const shown = (
      segments: Iterable<{ series: { tenant: string; meter: string; channel: string }; segment: { day: number } }>,
    ): string[] =>
      [...segments].map(({ series, segment }) => `${series.tenant} ${series.meter} ${series.channel} ${segment.day}`);
    expect(shown(store.segments())).toEqual([
      'abel m1 import 19723',
      'acme a export 19723',
      'acme a import 19723',
      'acme z import 19723',
      'acme z import 19724',
    ]);
    expect(shown(store.segmentsByKey()).sort()).toEqual(shown(store.segments()).sort());
    expect(shown(store.segments({ tenant: 'acme', meter: 'a', channel: 'import' }))).toEqual(['acme a import 19723']);
    expect([...store.series({ tenant: 'acme', meter: 'a' })]).toHaveLength(2);
  });

  test('more days and series than a page has all come, once', async () => {
    const store = open();
    await store.write([write(1_100, { lengthMs: slotMs }), ...[0, 1].map((part) => manyMeters(600, part))]);
    const days = readings(700).map((reading, day) => ({ ...reading, startMs: epochMs + day * dayMs }));
    await store.write([writeOf({ acceptedAtMs: 1, readings: days })]);
    const names = [...store.series()].map(({ meter }) => meter);
    expect(names).toHaveLength(1_201);
    expect(new Set(names).size).toBe(1_201);
    expect([...store.segments(m1)]).toHaveLength(700);
    expect([...store.segmentsByKey()]).toHaveLength(1_900);
  });

  function manyMeters(count: number, part: number): ReadingWrite {
    const many = readings(count).map((reading, index) => ({
      ...reading,
      meter: `meter-${part}-${index}`,
      startMs: epochMs,
    }));
    return writeOf({ acceptedAtMs: 1, readings: many });
  }
});

describe('erasure', () => {
  test('of a series deletes it and its history, and nothing accepted up to then comes back', async () => {
    const store = open();
    await store.write([write(96), write(96, { integer: 5 }, 2_000), write(96, { meter: 'm2' })]);
    expect(await store.erase({ tenant: 'acme', series: m1, upTo: 5_000 })).toEqual({
      series: 1,
      rows: 1,
      historyRows: 1,
    });
    expect(await store.read(all)).toEqual([]);
    expect(await store.history(all)).toEqual([]);
    expect(await canonicalRows(store, { meter: 'm2', channel: 'import' })).toHaveLength(96);
    expect(await store.write([write(4, {}, 5_000)])).toEqual([{ ...noOutcomes, shadowed: 4 }]);
    expect(await store.read(all)).toEqual([]);
    expect(await store.write([write(4, {}, 5_001)])).toEqual([{ ...noOutcomes, inserted: 4 }]);
  });

  test('of a tenant deletes all of its series, and holds for ones never seen', async () => {
    const store = open();
    const other = writeOf({ acceptedAtMs: 1, readings: readings(4) }, { tenant: 'other' });
    await store.write([write(96), write(96, { meter: 'm2' }), other]);
    expect(await store.erase({ tenant: 'acme', upTo: 5_000 })).toEqual({ series: 2, rows: 2, historyRows: 0 });
    expect([...store.series()].map(({ tenant }) => tenant)).toEqual(['other']);
    expect(await store.write([write(4, { meter: 'm9' })])).toEqual([{ ...noOutcomes, shadowed: 4 }]);
    expect(await store.erase({ tenant: 'acme', upTo: 6_000 })).toMatchObject({ rows: 0 });
  });

  test('of a meter covers its channels, also those never seen', async () => {
    const store = open();
    const exported = { meter: 'm1', channel: 'export' };
    await store.write([write(96), write(96, exported), write(96, { meter: 'm2' })]);
    const erased = await store.erase({ tenant: 'acme', series: { meter: 'm1' }, upTo: 5_000 });
    expect(erased).toEqual({ series: 2, rows: 2, historyRows: 0 });
    const late = [write(4), write(4, exported), write(4, { channel: 'reactive' })];
    expect(await store.write(late)).toEqual(late.map(() => ({ ...noOutcomes, shadowed: 4 })));
    expect(await store.found({ tenant: 'acme', series: { meter: 'm1' }, upTo: 0 })).toEqual({
      series: 0,
      rows: 0,
      historyRows: 0,
    });
    expect(await store.found({ tenant: 'acme', upTo: 0 })).toEqual({ series: 1, rows: 1, historyRows: 0 });
    expect([...store.segments()].map(({ series }) => series.meter)).toEqual(['m2']);
    expect([...store.series()].every(({ channel }) => channel !== '')).toBe(true);
    expect(await store.write([write(4, { channel: 'reactive' }, 5_001)])).toEqual([{ ...noOutcomes, inserted: 4 }]);
  });

  test('of a tenant lets not even the names of its series come back', async () => {
    const store = open();
    await store.write([write(96)]);
    await store.erase({ tenant: 'acme', upTo: 5_000 });
    await store.write([write(96)]);
    expect([...store.series()]).toEqual([]);
  });

  test('holds in another process that knew the series', async () => {
    const [a, b] = [open(), open()];
    await b.write([write(4)]);
    await a.erase({ tenant: 'acme', upTo: 5_000 });
    expect(await b.write([write(4)])).toEqual([{ ...noOutcomes, shadowed: 4 }]);
  });

  test('leaves no byte of a reading in the file or its log', async () => {
    const store = open();
    const secret = 'method-that-names-a-household';
    await store.write([write(96, { reason: secret })]);
    const holdsSecret = (): boolean =>
      [file, `${file}-wal`].some((name) => readFileSync(name, { encoding: 'latin1' }).includes(secret));
    expect(holdsSecret()).toBe(true);
    await store.erase({ tenant: 'acme', upTo: 5_000 });
    expect(holdsSecret()).toBe(false);
  });

  test('by a build that does not know who had to do with the history takes that along', async () => {
    const store = open();
    await store.write([write(4), write(4, { integer: 70 })]);
    expect((await store.history(all)).map(({ by }) => by?.how)).toEqual(['displaced']);
    const other = new DatabaseSync(file);
    const rows = (table: string): unknown => other.prepare(`select count(*) as n from ${table}`).get();
    expect(rows('historySources')).toMatchObject({ n: 1 });
    other.exec('delete from history');
    expect(rows('historySources')).toMatchObject({ n: 0 });
    other.close();
    await store.write([write(4, { integer: 80 })]);
    expect((await store.history(all)).map(({ by }) => by?.how)).toEqual(['displaced']);
  });

  test('of aggregates goes by ticket', async () => {
    const store = openAggregates();
    const sheets = [{ startMs: epochMs, endMs: epochMs + dayMs, sums: { 0: 1, 255: 1 } }];
    await store.write([aggregateWrite({ ticket: 1, sheets }), aggregateWrite({ ticket: 1, sheets, level: 'month' })]);
    expect(await store.erase({ tenant: 'acme', series: m1, upTo: 9 })).toEqual({ series: 1, rows: 2, historyRows: 0 });
    expect(await store.write([aggregateWrite({ ticket: 9, sheets })])).toEqual([{ ...noOutcomes, shadowed: 2 }]);
    expect(await store.write([aggregateWrite({ ticket: 10, sheets })])).toEqual([{ ...noOutcomes, inserted: 2 }]);
    expect([...store.batches('day')].flatMap(shownAggregates)).toHaveLength(2);
    expect([...store.batches('month')]).toEqual([]);
  });
});

describe('when the file fails', () => {
  test('a full disk is said to be full, nothing of the group is kept, and what was there stays', async () => {
    const store = open(24 * 16_384);
    await store.write([write(96)]);
    const much = Array.from({ length: 30 }, (_, part) =>
      writeOf({
        acceptedAtMs: 1,
        readings: readings(4_000, { meter: `m-${part}` }).map((reading, index) => ({
          ...reading,
          integer: index * 99_991,
        })),
      }),
    );
    const attempt = store.write(much);
    await expect(attempt).rejects.toThrow(TransientError);
    await expect(attempt).rejects.toThrow(/raw\.sqlite is full/);
    expect([...store.series()].map(({ meter }) => meter)).toEqual(['m1']);
    expect(await canonicalRows(store, m1)).toHaveLength(96);
    expect(await store.write([write(4)])).toEqual([{ ...noOutcomes, duplicate: 4 }]);
  });

  test('a file that is not ours is damaged, and left as it is', () => {
    writeFileSync(file, 'no database, '.repeat(1_000));
    const before = readFileSync(file);
    expect(() => open()).toThrow(FatalError);
    expect(() => open()).toThrow(/raw\.sqlite is damaged/);
    expect(readFileSync(file)).toEqual(before);
  });

  test('pages overwritten while closed are found, not read as readings', async () => {
    const store = open();
    await store.write(Array.from({ length: 8 }, (_, part) => write(4_000, { meter: `m${part + 1}` })));
    closeAll();
    const descriptor = openSync(file, 'r+');
    for (let at = 16_384; at < statSync(file).size; at += 16_384) {
      writeSync(descriptor, Buffer.alloc(16_384, 0xa5), 0, 16_384, at);
    }
    closeSync(descriptor);
    const reopen = async (): Promise<unknown> => open().read(all);
    await expect(reopen()).rejects.toThrow(FatalError);
  });

  test('a day whose bytes are damaged is an integrity error that names the file; other days go on', async () => {
    const store = open();
    await store.write([write(96), write(96, { meter: 'm2' })]);
    const database = new DatabaseSync(file);
    database.exec("update days set segment = x'01ffffff' where key = (select min(key) from days)");
    database.close();
    await expect(store.read(all)).rejects.toThrow(IntegrityError);
    await expect(store.write([write(4)])).rejects.toThrow(/raw\.sqlite is damaged/);
    expect(await store.write([write(4, { meter: 'm2' })])).toEqual([{ ...noOutcomes, duplicate: 4 }]);
  });

  test('a file of a newer format is refused', () => {
    open();
    closeAll();
    const database = new DatabaseSync(file);
    database.exec('pragma user_version = 2');
    database.close();
    expect(() => open()).toThrow(/has format 2; this build reads 1/);
  });

  test('a reader goes on while another process is in the middle of a write', async () => {
    const store = open();
    await store.write([write(4)]);
    const other = new DatabaseSync(file);
    other.exec('begin immediate');
    expect(await canonicalRows(store, m1)).toHaveLength(4);
    other.exec('rollback');
    other.close();
    expect(await store.write([write(8)])).toEqual([{ ...noOutcomes, inserted: 4, duplicate: 4 }]);
  });

  test('a batch of the other layer is refused', async () => {
    const other = writeOf({ acceptedAtMs: 1, readings: readings(1) }, { layer: 'validated' });
    await expect(open().write([other])).rejects.toThrow(PermanentError);
    await expect(open().read({ ...all, layer: 'validated' })).rejects.toThrow(RangeError);
  });
});
