import type { Layer } from '@meterflow/readings';
import { epochMs, hourMs, plainReading, type PlainReading } from '@meterflow/readings/testing';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { noOutcomes } from '../outcome.ts';
import type { ReadingStore } from '../reading-store.ts';
import {
  canonicalRows,
  expectedState,
  plainBatches,
  storedState,
  writeOf,
  writesOf,
  type PlainBatch,
} from './plain-state.ts';

/** A reading store of its own, empty. */
export interface ReadingStoreUnderTest {
  readonly store: ReadingStore;
  close(): Promise<void>;
}

export interface DescribeReadingStoreOptions {
  /** False where the store's outcomes are advisory: only what is left is then held against the reference. */
  readonly exactOutcomes?: boolean;
  /** How many random histories are tried. */
  readonly runs?: number;
}

const slotMs = 900_000;

/** A quarter hour of meter m1 with 1.5 kWh. */
function reading(change: Partial<PlainReading> = {}): PlainReading {
  return {
    meter: 'm1',
    channel: 'import',
    startMs: epochMs,
    lengthMs: slotMs,
    integer: 1500,
    decimals: 3,
    quality: 0,
    unit: 'kWh',
    reason: '',
    declared: 0,
    ...change,
  };
}

function day(change: Partial<PlainReading> = {}, count = 96): PlainReading[] {
  return Array.from({ length: count }, (_, slot) =>
    reading({ startMs: epochMs + slot * slotMs, integer: slot * 10 + 1, ...change }),
  );
}

const m1 = { meter: 'm1', channel: 'import' };

/** What every reading store promises. `open` is called for each test, and more than once by some. */
export function describeReadingStore(
  name: string,
  open: (layer: Layer) => Promise<ReadingStoreUnderTest>,
  { exactOutcomes = true, runs = 60 }: DescribeReadingStoreOptions = {},
): void {
  describe(`${name} as a reading store`, () => {
    let subject: ReadingStoreUnderTest;
    let store: ReadingStore;

    beforeEach(async () => {
      subject = await open('raw');
      store = subject.store;
    });

    afterEach(() => subject.close());

    const outcomesOf = async (batch: PlainBatch): Promise<unknown> => (await store.write([writeOf(batch)]))[0];
    const expectOutcome = (found: unknown, expected: object): void => {
      if (exactOutcomes) {
        expect(found).toEqual({ ...noOutcomes, ...expected });
      }
    };

    describe('what it gives back', () => {
      test('a day comes back as it was written, in the fewest decimals', async () => {
        expectOutcome(await outcomesOf({ acceptedAtMs: 1, readings: day({ integer: 2500 }) }), { inserted: 96 });
        const rows = await canonicalRows(store, m1);
        expect(rows).toHaveLength(96);
        expect(rows[0]).toEqual({
          kind: 'reading',
          tenant: 'acme',
          meter: 'm1',
          channel: 'import',
          layer: 'raw',
          start: '2024-01-01T00:00:00Z',
          end: '2024-01-01T00:15:00Z',
          value: '2.5',
          unit: 'kWh',
          quality: 'measured',
        });
      });

      test('a series without readings, and a span without any, give nothing', async () => {
        await store.write([writeOf({ acceptedAtMs: 1, readings: [reading()] })]);
        expect(await canonicalRows(store, { meter: 'm2', channel: 'import' })).toEqual([]);
        expect(await canonicalRows(store, { meter: 'm1', channel: 'export' })).toEqual([]);
        expect(await canonicalRows(store, m1, { fromMs: epochMs + 24 * hourMs, toMs: epochMs + 48 * hourMs })).toEqual(
          [],
        );
      });

      test('a span that begins and ends within days gives what starts in it', async () => {
        await store.write([writeOf({ acceptedAtMs: 1, readings: day({}, 200) })]);
        const span = { fromMs: epochMs + 22 * hourMs, toMs: epochMs + 46 * hourMs + 1 };
        const rows = await canonicalRows(store, m1, span);
        expect(rows).toHaveLength(97);
        expect([rows.at(0)?.start, rows.at(-1)?.start]).toEqual(['2024-01-01T22:00:00Z', '2024-01-02T22:00:00Z']);
      });

      test('days come ascending, one segment at least for each', async () => {
        await store.write([writeOf({ acceptedAtMs: 1, readings: day({}, 300).reverse() })]);
        const segments = await store.read({
          tenant: 'acme',
          ...m1,
          layer: 'raw',
          fromMs: epochMs,
          toMs: epochMs + 96 * hourMs,
        });
        expect(segments.map((segment) => segment.day)).toEqual([19723, 19724, 19725, 19726]);
        expect(segments.map(({ columns }) => columns.values.length)).toEqual([96, 96, 96, 12]);
      });

      test('the first reading of a series is found, whatever came when, and whether it was withdrawn since', async () => {
        const series = { tenant: 'acme', ...m1, layer: 'raw' } as const;
        expect(await store.firstMs(series)).toBeUndefined();
        await store.write([writeOf({ acceptedAtMs: 1, readings: [reading({ startMs: epochMs + 50 * hourMs })] })]);
        expect(await store.firstMs(series)).toBe(epochMs + 50 * hourMs);
        const others = [
          reading({ meter: 'm0', startMs: epochMs - 99 * hourMs }),
          reading({ channel: 'a', startMs: epochMs - 99 * hourMs }),
        ];
        const first = { startMs: epochMs + 3 * slotMs };
        const readings = [...others, reading({ startMs: epochMs + 9 * slotMs }), reading(first)];
        await store.write([writeOf({ acceptedAtMs: 2, readings })]);
        expect(await store.firstMs(series)).toBe(first.startMs);
        await store.write([writeOf({ acceptedAtMs: 3, readings: [reading({ ...first, quality: 4 })] })]);
        expect(await store.firstMs(series)).toBe(first.startMs);
        expect(await store.firstMs({ ...series, meter: 'm2' })).toBeUndefined();
      });

      test('a reading without value stays, with its quality and reason', async () => {
        await store.write([writeOf({ acceptedAtMs: 1, readings: [reading({ quality: 4, reason: 'rejected' })] })]);
        expect(await canonicalRows(store, m1)).toMatchObject([{ value: null, quality: 'missing', reason: 'rejected' }]);
      });

      test('interval readings of two lengths and a register at one instant are three readings', async () => {
        const readings = [reading(), reading({ lengthMs: 2 * slotMs }), reading({ lengthMs: 0 })];
        expectOutcome(await outcomesOf({ acceptedAtMs: 1, readings }), { inserted: 3 });
        const rows = await canonicalRows(store, m1);
        expect(rows.map(({ end }) => end)).toEqual([
          '2024-01-01T00:00:00Z',
          '2024-01-01T00:15:00Z',
          '2024-01-01T00:30:00Z',
        ]);
      });

      test('values that no one count of decimals holds stay exact side by side', async () => {
        const readings = [
          reading({ integer: 2 ** 52 + 1, decimals: 0 }),
          reading({ startMs: epochMs + slotMs, integer: 123_456_789, decimals: 9 }),
          reading({ startMs: epochMs + 2 * slotMs, integer: -(2 ** 52 + 3), decimals: 0 }),
        ];
        await store.write(readings.map((one) => writeOf({ acceptedAtMs: 1, readings: [one] })));
        const rows = await canonicalRows(store, m1);
        expect(rows.map(({ value }) => value)).toEqual(['4503599627370497', '0.123456789', '-4503599627370499']);
      });

      test('tenants do not see each other', async () => {
        await store.write([
          writeOf({ acceptedAtMs: 1, readings: [reading()] }, { tenant: 'other' }),
          writeOf({ acceptedAtMs: 1, readings: [reading({ integer: 7 })] }),
        ]);
        expect(await canonicalRows(store, m1)).toMatchObject([{ value: '0.007' }]);
      });
    });

    describe('outcomes', () => {
      test('of two values the later version stays, whichever comes first', async () => {
        await store.write([writeOf({ acceptedAtMs: 2, readings: [reading({ integer: 2 })] })]);
        expectOutcome(await outcomesOf({ acceptedAtMs: 1, readings: [reading({ integer: 1 })] }), { shadowed: 1 });
        expect(await canonicalRows(store, m1)).toMatchObject([{ value: '0.002' }]);
        expectOutcome(await outcomesOf({ acceptedAtMs: 3, readings: [reading({ integer: 3 })] }), { superseded: 1 });
        expect(await canonicalRows(store, m1)).toMatchObject([{ value: '0.003' }]);
      });

      test('a declared version is above every undeclared one', async () => {
        await store.write([writeOf({ acceptedAtMs: 9, readings: [reading({ integer: 9 })] })]);
        const declared = { acceptedAtMs: 1, readings: [reading({ integer: 1, declared: 1 })] };
        expectOutcome(await outcomesOf(declared), { superseded: 1 });
        expect(await canonicalRows(store, m1)).toMatchObject([{ value: '0.001', version: 1 }]);
      });

      test('the same value again is a duplicate, and a later version of it raises what is stored', async () => {
        await store.write([writeOf({ acceptedAtMs: 1, readings: [reading()] })]);
        expectOutcome(await outcomesOf({ acceptedAtMs: 1, readings: [reading()] }), { duplicate: 1 });
        expectOutcome(await outcomesOf({ acceptedAtMs: 5, readings: [reading({ integer: 15, decimals: 1 })] }), {
          duplicate: 1,
        });
        expectOutcome(await outcomesOf({ acceptedAtMs: 4, readings: [reading({ integer: 7 })] }), { shadowed: 1 });
        expect(await canonicalRows(store, m1)).toMatchObject([{ value: '1.5' }]);
      });

      test('of two values at one version the greater stays, and it is a conflict', async () => {
        await store.write([writeOf({ acceptedAtMs: 1, readings: [reading({ integer: 5 })] })]);
        expectOutcome(await outcomesOf({ acceptedAtMs: 1, readings: [reading({ integer: 3 })] }), { conflict: 1 });
        expectOutcome(await outcomesOf({ acceptedAtMs: 1, readings: [reading({ integer: 7 })] }), { conflict: 1 });
        expect(await canonicalRows(store, m1)).toMatchObject([{ value: '0.007' }]);
      });

      test('a withdrawal supersedes, and so does what comes back later', async () => {
        await store.write([writeOf({ acceptedAtMs: 1, readings: [reading()] })]);
        const gone = { acceptedAtMs: 2, readings: [reading({ quality: 4, reason: 'withdrawn' })] };
        expectOutcome(await outcomesOf(gone), { superseded: 1 });
        expect(await canonicalRows(store, m1)).toMatchObject([{ value: null }]);
        expectOutcome(await outcomesOf({ acceptedAtMs: 3, readings: [reading()] }), { superseded: 1 });
        expect(await canonicalRows(store, m1)).toMatchObject([{ value: '1.5' }]);
      });

      test('a line that a batch repeats is a duplicate within it', async () => {
        const readings = [...day(), ...day().slice(3, 4), ...day({}, 192).slice(96)];
        expectOutcome(await outcomesOf({ acceptedAtMs: 1, readings }), { inserted: 192, duplicate: 1 });
      });

      test('the very same write again has the outcome of the first', async () => {
        const write = writeOf({ acceptedAtMs: 1, readings: day() });
        const first = await store.write([write]);
        expectOutcome(first[0], { inserted: 96 });
        const again = await store.write([write, write]);
        if (exactOutcomes) {
          expect(again).toEqual([first[0], first[0]]);
        }
        expect(await canonicalRows(store, m1)).toHaveLength(96);
      });

      test('a group is counted batch by batch, in its order', async () => {
        const found = await store.write([
          writeOf({ acceptedAtMs: 1, readings: day() }),
          writeOf({ acceptedAtMs: 1, readings: day({ meter: 'm2' }, 10) }),
          writeOf({ acceptedAtMs: 2, readings: day({ integer: 4 }, 5) }),
        ]);
        if (exactOutcomes) {
          expect(found).toEqual([
            { ...noOutcomes, inserted: 96 },
            { ...noOutcomes, inserted: 10 },
            { ...noOutcomes, superseded: 5 },
          ]);
        }
        expect(found).toHaveLength(3);
      });

      test('an empty group is fine', async () => {
        expect(await store.write([])).toEqual([]);
      });
    });

    describe('laws', () => {
      const wild: fc.Arbitrary<PlainReading> = fc.oneof(
        { weight: 8, arbitrary: plainReading },
        { weight: 1, arbitrary: plainReading.map((one) => ({ ...one, integer: 2 ** 52 - one.declared, decimals: 0 })) },
        { weight: 1, arbitrary: plainReading.map((one) => ({ ...one, integer: one.startMs % 1000, decimals: 9 })) },
      );

      test('in whatever order, grouping and repetition batches come, the same state is left', async () => {
        const property = fc.asyncProperty(plainBatches(wild), fc.infiniteStream(fc.nat()), async (batches, chance) => {
          const opened = await open('raw');
          const fresh = opened.store;
          const pick = (below: number): number => chance.next().value % below;
          const writes = batches.flatMap(writesOf);
          const deliveries = [...writes, ...writes.filter(() => pick(4) === 0)];
          while (deliveries.length > 0) {
            const group = deliveries.splice(pick(deliveries.length), 1 + pick(3));
            await fresh.write(group);
          }
          expect(await storedState(fresh, batches)).toEqual(expectedState(batches));
          await opened.close();
        });
        await fc.assert(property, { numRuns: runs });
      });

      if (exactOutcomes) {
        test('every reading has one outcome, and as many are inserted as there are identities', async () => {
          const property = fc.asyncProperty(plainBatches(wild), async (batches) => {
            const opened = await open('raw');
            const fresh = opened.store;
            const writes = batches.flatMap(writesOf);
            const found = await fresh.write(writes);
            let inserted = 0;
            found.forEach((counts, index) => {
              const all = Object.values(counts).reduce((sum, count) => sum + count, 0);
              expect(all).toBe(writes[index]?.batch.columns.values.length);
              inserted += counts.inserted;
            });
            expect(inserted).toBe(expectedState(batches).size);
            await opened.close();
          });
          await fc.assert(property, { numRuns: Math.ceil(runs / 3) });
        });
      }
    });
  });
}
