import type { Layer } from '@meterflow/readings';
import { epochMs, plainReading, type PlainReading } from '@meterflow/readings/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { KnownBy, ReadingHistory } from '../reading-history.ts';
import type { ReadingStore } from '../reading-store.ts';
import { canonicalRows, expectedState, plainBatches, storedState, writeOf, writesOf } from './plain-state.ts';

export interface ReadingHistoryUnderTest {
  readonly store: ReadingStore & ReadingHistory;
  readonly close: () => Promise<void>;
}

const slotMs = 900_000;
const m1 = { meter: 'm1', channel: 'import' };

function valueOf(integer: number, declared = 0): PlainReading {
  const place = { ...m1, startMs: epochMs, lengthMs: slotMs };
  return { ...place, integer, decimals: 0, declared, quality: 0, unit: 'kWh', reason: '' };
}

/** Those of a channel with declared versions, which rise with their acceptance, or with none. */
const histories = plainBatches(plainReading).map((batches) =>
  batches.map(({ acceptedAtMs, readings }) => ({
    acceptedAtMs,
    readings: readings.map((reading) => ({ ...reading, declared: reading.channel === 'export' ? acceptedAtMs : 0 })),
  })),
);

/** What every store promises that can say what was known. `open` is called for each test. */
export function describeReadingHistory(
  name: string,
  open: (layer: Layer) => Promise<ReadingHistoryUnderTest>,
  { runs = 20 }: { readonly runs?: number } = {},
): void {
  const within = async (work: (store: ReadingStore & ReadingHistory) => Promise<void>): Promise<void> => {
    const { store, close } = await open('raw');
    try {
      await work(store);
    } finally {
      await close();
    }
  };
  const known = (store: ReadingHistory, by: KnownBy): ReadingStore => ({
    read: (days) => store.asOf(days, by),
    firstMs: () => Promise.reject(new Error('what was known is not asked where it begins')),
    write: () => Promise.reject(new Error('what was known is not changed')),
  });
  const valuesAt = async (store: ReadingHistory, instantMs: number): Promise<unknown[]> =>
    (await canonicalRows(known(store, { instantMs }), m1)).map(({ value }) => value);

  describe(`${name} knows what was known`, () => {
    test('before the first acceptance nothing, then each value until the next', () =>
      within(async (store) => {
        await store.write([writeOf({ acceptedAtMs: 10, readings: [valueOf(1)] })]);
        await store.write([writeOf({ acceptedAtMs: 20, readings: [valueOf(2)] })]);
        expect(await valuesAt(store, 9)).toEqual([]);
        expect(await valuesAt(store, 10)).toEqual(['1']);
        expect(await valuesAt(store, 19)).toEqual(['1']);
        expect(await valuesAt(store, 20)).toEqual(['2']);
      }));

    test('a value that is said again was known from the first time on', () =>
      within(async (store) => {
        await store.write([writeOf({ acceptedAtMs: 10, readings: [valueOf(1)] })]);
        await store.write([writeOf({ acceptedAtMs: 30, readings: [valueOf(1)] })]);
        expect(await valuesAt(store, 20)).toEqual(['1']);
        expect(await valuesAt(store, 40)).toEqual(['1']);
      }));

    test('what was accepted earlier, but stored later, was known', () =>
      within(async (store) => {
        await store.write([writeOf({ acceptedAtMs: 20, readings: [valueOf(2)] })]);
        await store.write([writeOf({ acceptedAtMs: 10, readings: [valueOf(1)] })]);
        expect(await valuesAt(store, 15)).toEqual(['1']);
        expect(await valuesAt(store, 25)).toEqual(['2']);
      }));

    test('a declared version counts from when it was accepted, not from what it declares', () =>
      within(async (store) => {
        await store.write([writeOf({ acceptedAtMs: 10, readings: [valueOf(1, 1_000)] })]);
        await store.write([writeOf({ acceptedAtMs: 20, readings: [valueOf(2, 2_000)] })]);
        expect(await valuesAt(store, 15)).toEqual(['1']);
        expect(await valuesAt(store, 25)).toEqual(['2']);
      }));

    test('in whatever order batches came, what was known at any instant is what they say that were accepted by then', () =>
      fc.assert(
        fc.asyncProperty(histories, fc.constantFrom(500, 1_000, 2_500), async (batches, instantMs) => {
          await within(async (store) => {
            for (const batch of batches) {
              await store.write(writesOf(batch));
            }
            const accepted = batches.filter(({ acceptedAtMs }) => acceptedAtMs <= instantMs);
            expect(await storedState(known(store, { instantMs }), batches)).toEqual(expectedState(accepted));
          });
        }),
        { numRuns: runs },
      ));
  });
}
