import { canonicalRows, writeOf } from '@meterflow/idempotent-writes/testing';
import { epochMs, type PlainReading } from '@meterflow/readings/testing';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { tables } from '../schema.ts';
import { withEmulator, type OpenStores } from '../testing/temporary-stores.ts';
import { seriesPrefix, withDay } from '../rows/series-key.ts';
import { inQualifiers } from '../wire/row-filter.ts';
import { compactReadings, type CompactionTable } from './compact.ts';
import type { BigtableReadingStore } from './reading-store.ts';

const slotMs = 900_000;
const dayMs = 86_400_000;
const m1 = { meter: 'm1', channel: 'import' };
const days = { tenant: 'acme', ...m1, layer: 'raw' as const, fromMs: epochMs, toMs: epochMs + 2 * dayMs };
const closed = { fromMs: epochMs, closedBeforeMs: epochMs + 7 * dayMs, acceptedBeforeMs: 1_000_000 };

function reading(slot: number, integer: number, change: Partial<PlainReading> = {}): PlainReading {
  return {
    ...{ ...m1, startMs: epochMs + slot * slotMs, lengthMs: slotMs, integer, decimals: 0 },
    ...{ quality: 0, unit: 'kWh', reason: '', declared: 0, ...change },
  };
}

withEmulator('compaction', (emulator) => {
  let stores: OpenStores;
  let store: BigtableReadingStore;

  beforeEach(async () => {
    stores = await emulator.open({ only: ['readings', 'ledger'] });
    store = stores.readings('raw');
  });

  afterEach(() => stores.close());

  const accept = (acceptedAtMs: number, ...readings: PlainReading[]): Promise<unknown> =>
    store.write([writeOf({ acceptedAtMs, readings })]);
  const cells = async (): Promise<number> => {
    const everything = { from: Buffer.of(0), to: Buffer.alloc(0) };
    let count = 0;
    for await (const row of stores
      .table(tables.readings.name)
      .scan(everything, inQualifiers({ family: tables.readings.segments }), 100)) {
      count += row.cells.length;
    }
    return count;
  };
  const valuesAsOf = async (instantMs: number): Promise<number[]> =>
    (await store.asOf(days, { instantMs })).flatMap(({ columns }) => [...columns.values]);
  const superseded = async (): Promise<number[]> =>
    (await store.history(days)).flatMap(({ columns }) => [...columns.values]);

  test('a day sent interval by interval becomes one cell that says the same', async () => {
    for (let slot = 0; slot < 8; slot++) {
      await accept(slot + 1, reading(slot, slot + 1));
    }
    const before = await canonicalRows(store, m1);
    expect(await cells()).toBe(8);
    const done = await store.compact(closed);
    expect(done).toEqual({ rowsSeen: 1, rowsChanged: 1, cellsRemoved: 8, cellsSet: 1, rowsSkipped: 0 });
    expect([await cells(), await canonicalRows(store, m1)]).toEqual([1, before]);
    expect(await store.compact(closed)).toMatchObject({ rowsChanged: 0 });
  });

  test('what was superseded stays to be asked for, as it was known at each time', async () => {
    await accept(10, reading(0, 1), reading(1, 1));
    await accept(20, reading(0, 2));
    await accept(30, reading(0, 3, { declared: 1 }), reading(2, 3, { declared: 1 }));
    const known = async (): Promise<unknown[]> => [
      ...(await Promise.all([5, 10, 20, 29, 30].map(valuesAsOf))),
      (await superseded()).toSorted(),
    ];
    const expected = [[], [1, 1], [2, 1], [2, 1], [3, 1, 3], [1, 2]];
    expect(await known()).toEqual(expected);
    expect(await store.compact(closed)).toMatchObject({ cellsSet: 2 });
    expect(await known()).toEqual(expected);
    await accept(40, reading(1, 4));
    await store.compact(closed);
    expect([await cells(), await valuesAsOf(30), await valuesAsOf(40)]).toEqual([2, [3, 1, 3], [3, 4, 3]]);
    expect((await superseded()).toSorted()).toEqual([1, 1, 2]);
  });

  test('what is written at the same time stays', async () => {
    await accept(10, reading(0, 1));
    await accept(20, reading(1, 2));
    const other = emulator.reopen(stores).readings('raw');
    await Promise.all([store.compact(closed), other.write([writeOf({ acceptedAtMs: 30, readings: [reading(2, 3)] })])]);
    expect((await canonicalRows(store, m1)).map(({ value }) => value)).toEqual(['1', '2', '3']);
  });

  test('a mutation that sets before it deletes loses what equals one of its inputs: the order is what keeps it', async () => {
    const rows = stores.readingRows;
    const setsFirst: CompactionTable = {
      read: (options) => rows.read(options),
      scan: (...span) => rows.scan(...span),
      mutate: (changes) =>
        rows.mutate(changes.map(({ key, mutations }) => ({ key, mutations: mutations.toReversed() }))),
    };
    await accept(10, reading(0, 1), reading(1, 2));
    await accept(10, reading(0, 1));
    const before = await canonicalRows(store, m1);
    await compactReadings(setsFirst, closed);
    await accept(10, reading(0, 1));
    await compactReadings(setsFirst, closed);
    expect(await canonicalRows(store, m1)).not.toEqual(before);
  });

  test('a row that holds what no build wrote stays as it is, and others are compacted', async () => {
    await accept(10, reading(0, 1), reading(0, 1, { meter: 'm2' }));
    await accept(20, reading(1, 1), reading(1, 1, { meter: 'm2' }));
    const family = tables.readings.segments;
    const key = withDay(seriesPrefix({ tenant: 'acme', ...m1 }), epochMs / dayMs);
    const strange = { family, qualifier: Buffer.alloc(14), micros: epochMs * 1_000, value: Buffer.from([9, 9]) };
    await stores.table(tables.readings.name).mutate([{ key, mutations: [{ set: strange }] }]);
    expect(await store.compact(closed)).toMatchObject({ rowsSeen: 2, rowsChanged: 1, rowsSkipped: 1 });
  });

  test('days that are not closed, and rows that were written to just now, wait', async () => {
    await accept(10, reading(0, 1));
    await accept(20, reading(1, 1));
    expect(await store.compact({ ...closed, closedBeforeMs: epochMs })).toMatchObject({ rowsSeen: 0 });
    expect(await store.compact({ ...closed, acceptedBeforeMs: 20 })).toMatchObject({ rowsSeen: 1, rowsChanged: 0 });
  });

  test('whenever days are compacted, the same state is left', async () => {
    const step = fc.record({
      acceptedAtMs: fc.integer({ min: 1, max: 9 }),
      slots: fc.uniqueArray(fc.nat(5), { minLength: 1, maxLength: 4 }),
      integer: fc.nat(9),
      declared: fc.nat(1),
      compacts: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async (steps) => {
        const [plain, compacted] = [await emulator.open({ only: ['readings', 'ledger'] }), stores];
        const meter = `m-${Math.random()}`;
        for (const { acceptedAtMs, slots, integer, declared, compacts } of steps) {
          const readings = slots.map((slot) => reading(slot, integer, { meter, declared }));
          for (const one of [plain, compacted]) {
            await one.readings('raw').write([writeOf({ acceptedAtMs, readings })]);
          }
          if (compacts) {
            await compacted.readings('raw').compact(closed);
          }
        }
        const series = { meter, channel: 'import' };
        expect(await canonicalRows(compacted.readings('raw'), series)).toEqual(
          await canonicalRows(plain.readings('raw'), series),
        );
        await plain.close();
      }),
      { numRuns: 12 },
    );
  });

  test('an erasure leaves nothing of the series, and nothing older comes back', async () => {
    await accept(10, reading(0, 1));
    await accept(20, reading(0, 2));
    await accept(15, reading(0, 9, { meter: 'm2' }));
    await store.compact(closed);
    const erasure = { tenant: 'acme', series: { meter: 'm1' }, upTo: 20 };
    expect(await store.erase(erasure)).toEqual({ series: 1, rows: 1, historyRows: 1 });
    expect(await store.found(erasure)).toEqual({ series: 0, rows: 0, historyRows: 0 });
    const [late] = await store.write([
      writeOf({ acceptedAtMs: 20, readings: [reading(3, 3), reading(3, 4, { meter: 'm2' })] }),
    ]);
    expect(late).toMatchObject({ inserted: 1, shadowed: 1 });
    expect(await canonicalRows(store, m1)).toEqual([]);
    expect(await cells()).toBe(2 + 1 - 1);
    await accept(21, reading(4, 5));
    expect(await canonicalRows(store, m1)).toHaveLength(1);
    expect(await canonicalRows(store, { meter: 'm2', channel: 'import' })).toHaveLength(2);
    expect(await store.erase({ tenant: 'acme', upTo: 30 })).toMatchObject({ series: 2 });
    expect(await cells()).toBe(0);
  });
});
