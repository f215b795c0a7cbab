import { aggregateWrite } from '@meterflow/idempotent-writes/testing';
import type { AggregateWrite, ReadingWrite } from '@meterflow/idempotent-writes';
import { formatDecimal, missingCode, qualities, type Layer } from '@meterflow/readings';
import { batchHeader, batchOf, epochMs, hourMs, plainReading, type PlainReading } from '@meterflow/readings/testing';
import type { Sink } from '@meterflow/stage';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { WarehouseErasure } from '../erasure.ts';

/** A view and how it is asked. `plain` works the latest out anew, `current` is the incremental form. */
export type ReadingForm = 'current' | 'plain';

/** A SQL sink with its views, as the suite needs it. */
export interface SqlSinkUnderTest {
  readings(layer: Layer): Sink<ReadingWrite>;
  readonly aggregates: Sink<AggregateWrite>;
  erase(erasure: WarehouseErasure): Promise<number>;
  /** Empties all tables. */
  clear(): Promise<void>;
  /** Sets the clock that says when a row came. */
  setNow(nowMs: number): void;
  /**
   * What a view shows, in any order: meter, start in ms, length in ms, value, unit, quality, version or "none", reason.
   * With `asOfMs` what it would have shown then.
   */
  readingLines(layer: Layer, ask: { readonly form: ReadingForm } | { readonly asOfMs: number }): Promise<string[]>;
  /** Meter, resolution, start in ms, sum, count, unit. */
  aggregateLines(form: ReadingForm): Promise<string[]>;
  close(): Promise<void>;
}

export interface DescribeSqlSinkOptions {
  /** Of the property that needs several writes a run. */
  readonly runs?: number;
}

interface Delivery {
  readonly acceptedAtMs: number;
  readonly readings: readonly PlainReading[];
}

const base: PlainReading = {
  meter: 'm1',
  channel: 'import',
  startMs: epochMs,
  lengthMs: 900_000,
  integer: 1_250,
  decimals: 3,
  quality: 0,
  unit: 'kWh',
  reason: '',
  declared: 0,
};
// Later than any clock that the suite runs by.
const firstMs = Date.UTC(2100, 0, 1);
const secondMs = Date.UTC(2100, 0, 2);
const forms: readonly ReadingForm[] = ['current', 'plain'];

/** What every SQL sink keeps: what it shows follows from the set of what came, in whatever order and however often. */
export function describeSqlSink(
  name: string,
  open: () => Promise<SqlSinkUnderTest>,
  { runs = 25 }: DescribeSqlSinkOptions = {},
): void {
  describe(`${name} as a SQL sink`, () => {
    let sink: SqlSinkUnderTest;
    beforeAll(async () => {
      sink = await open();
    });
    beforeEach(() => sink.clear());
    afterAll(() => sink.close());
    const write = (readings: readonly PlainReading[], acceptedAtMs = 1_000, layer: Layer = 'raw'): Promise<void> =>
      sink.readings(layer).write(writesOf({ acceptedAtMs, readings }, layer));
    const both = async (layer: Layer = 'raw'): Promise<string[]> => {
      const [current, plain] = await Promise.all(forms.map((form) => sink.readingLines(layer, { form })));
      expect(current?.toSorted()).toEqual(plain?.toSorted());
      return plain?.toSorted() ?? [];
    };

    test('shows of every reading the last by version, value and quality, whatever came first, twice or together', async () => {
      const deliveries = fc.array(
        fc.record({
          acceptedAtMs: fc.constantFrom(1_000, 2_000, 3_000),
          readings: fc.array(plainReading, { minLength: 1, maxLength: 40 }),
          times: fc.constantFrom(1, 1, 2),
        }),
        { minLength: 1, maxLength: 4 },
      );
      await fc.assert(
        fc.asyncProperty(deliveries, async (came) => {
          await sink.clear();
          for (const { times, ...delivery } of came) {
            for (let time = 0; time < times; time++) {
              await write(delivery.readings, delivery.acceptedAtMs);
            }
          }
          expect(await both()).toEqual(expectedLines(came));
        }),
        { numRuns: runs },
      );
    });

    test('shows no reading whose last version is absent, and shows it again when a later one has a value', async () => {
      await write([{ ...base, declared: 1 }]);
      await write([{ ...base, declared: 2, quality: missingCode, integer: 0, reason: 'withdrawn' }]);
      expect(await both()).toEqual([]);
      await write([{ ...base, declared: 1 }]);
      expect(await both()).toEqual([]);
      await write([{ ...base, declared: 3, integer: 7 }]);
      expect(await both()).toEqual(['m1 1704067200000 900000 0.007 kWh measured 3 ']);
    });

    test('keeps the layers apart', async () => {
      await write([base]);
      await write([{ ...base, integer: 2_000 }], 1_000, 'validated');
      expect(await both('raw')).toEqual(['m1 1704067200000 900000 1.25 kWh measured none ']);
      expect(await both('validated')).toEqual(['m1 1704067200000 900000 2 kWh measured none ']);
    });

    test('answers what it would have shown at an earlier instant', async () => {
      sink.setNow(firstMs);
      await write([{ ...base, declared: 1, integer: 1 }]);
      sink.setNow(secondMs);
      await write([
        { ...base, declared: 2, integer: 2 },
        { ...base, meter: 'm2', declared: 1 },
      ]);
      const asOf = async (asOfMs: number): Promise<string[]> =>
        (await sink.readingLines('raw', { asOfMs })).map((line) => line.split(' ').slice(0, 4).join(' ')).toSorted();
      expect(await asOf(firstMs - 1)).toEqual([]);
      expect(await asOf(firstMs + hourMs)).toEqual(['m1 1704067200000 900000 0.001']);
      expect(await asOf(secondMs + hourMs)).toEqual(['m1 1704067200000 900000 0.002', 'm2 1704067200000 900000 1.25']);
    });

    test('holds the greatest and least values exactly', async () => {
      const integers = [2 ** 53 - 1, -(2 ** 53 - 1), -1, 0];
      const extremes = integers.map((integer, slot) => ({
        ...base,
        integer,
        decimals: 0,
        startMs: epochMs + slot * hourMs,
      }));
      await write(extremes);
      await write([{ ...base, startMs: epochMs + 9 * hourMs, integer: -1, decimals: 9 }]);
      expect((await both()).map((line) => line.split(' ')[3])).toEqual([
        ...integers.map((integer) => formatDecimal(integer, 0)),
        '-0.000000001',
      ]);
    });

    test('shows of every window the sheet of the highest ticket, and none that it leaves out', async () => {
      const day = { startMs: epochMs, endMs: epochMs + 24 * hourMs };
      const sheet = (ticket: number, sums: Readonly<Record<number, number>>): AggregateWrite =>
        aggregateWrite({ ticket, sheets: [{ ...day, sums }] });
      const shown = async (): Promise<string[]> => {
        const [current, plain] = await Promise.all(forms.map((form) => sink.aggregateLines(form)));
        expect(current?.toSorted()).toEqual(plain?.toSorted());
        return plain?.toSorted() ?? [];
      };
      await sink.aggregates.write([sheet(2, { 0: 1_500, 1: 250, 255: 1_750 })]);
      await sink.aggregates.write([sheet(1, { 0: 9, 5: 9, 255: 18 })]);
      expect(await shown()).toEqual([
        `m1 day ${epochMs} 1.75 4 kWh`,
        `m1 hour ${epochMs} 1.5 4 kWh`,
        `m1 hour ${epochMs + hourMs} 0.25 4 kWh`,
      ]);
      await sink.aggregates.write([sheet(3, { 1: 250, 255: 250 }), sheet(3, { 1: 250, 255: 250 })]);
      expect(await shown()).toEqual([`m1 day ${epochMs} 0.25 4 kWh`, `m1 hour ${epochMs + hourMs} 0.25 4 kWh`]);
      await sink.aggregates.write([sheet(4, {})]);
      expect(await shown()).toEqual([]);
      // A day that only has surplus is shown, without values.
      const surplus = { ...day, unit: '', sums: { 255: 0 }, facts: { count: 0, surplus: 7, peakOffsetMs: 0 } };
      await sink.aggregates.write([aggregateWrite({ ticket: 5, sheets: [surplus] })]);
      expect(await shown()).toEqual([`m1 day ${epochMs} none 0 `]);
    });

    test('erases what a tombstone covers, and no replay brings it back', async () => {
      const tombstone = { tenant: 'acme', meter: 'm1', acceptedToMs: 5_000, ticketTo: 7, erasedAtMs: 6_000 };
      const other = { ...base, meter: 'm2' };
      const sheet = aggregateWrite({
        ticket: 7,
        sheets: [{ startMs: epochMs, endMs: epochMs + 24 * hourMs, sums: { 255: 1_000 } }],
      });
      await write([base, other], 5_000);
      await sink.aggregates.write([sheet]);
      // A day's sheet has 24 hours and itself.
      expect(await sink.erase(tombstone)).toBe(1 + 25);
      const left = ['m2 1704067200000 900000 1.25 kWh measured none '];
      expect([await both(), await sink.aggregateLines('current')]).toEqual([left, []]);
      await write([base, other], 5_000);
      await sink.aggregates.write([sheet]);
      expect([await both(), await sink.aggregateLines('current'), await sink.aggregateLines('plain')]).toEqual([
        left,
        [],
        [],
      ]);
      await write([{ ...base, integer: 9 }], 5_001);
      expect(await both()).toEqual(['m1 1704067200000 900000 0.009 kWh measured none ', ...left]);
      expect(await sink.erase({ ...tombstone, erasedAtMs: 8_000 })).toBe(1 + 25);
      expect(await sink.erase({ tenant: 'acme', acceptedToMs: 9_000, ticketTo: 9, erasedAtMs: 9_000 })).toBe(3);
      expect(await both()).toEqual([]);
    });
  });
}

let keys = 0;

/** Readings that can't share decimals in batches of their own. */
function writesOf({ acceptedAtMs, readings }: Delivery, layer: Layer): ReadingWrite[] {
  const write = (some: readonly PlainReading[]): ReadingWrite => ({
    key: String((keys += 1)).padStart(32, '0'),
    batch: batchOf(some, { ...batchHeader, layer, acceptedAtMs }),
  });
  try {
    return [write(readings)];
  } catch {
    return readings.map((reading) => write([reading]));
  }
}

/** One by one, the slow way: the reference that views are held against. */
function expectedLines(deliveries: readonly Delivery[]): string[] {
  const last = new Map<string, { readonly order: readonly (bigint | string)[]; readonly line: string }>();
  for (const { acceptedAtMs, readings } of deliveries) {
    for (const reading of readings) {
      const { meter, channel, startMs, lengthMs, quality, unit, reason, declared } = reading;
      const missing = quality === missingCode;
      const value = missing ? 0n : BigInt(reading.integer) * 10n ** BigInt(9 - reading.decimals);
      const version = [BigInt(declared), BigInt(declared === 0 ? acceptedAtMs : 0)];
      const order = [...version, value, BigInt(quality), unit, reason];
      const identity = `${meter} ${channel} ${startMs} ${lengthMs}`;
      const standing = last.get(identity);
      if (standing === undefined || isAfter(order, standing.order)) {
        const shown = `${formatDecimal(value, 9)} ${unit} ${qualities[quality]} ${declared || 'none'} ${reason}`;
        last.set(identity, { order, line: missing ? '' : `${meter} ${startMs} ${lengthMs} ${shown}` });
      }
    }
  }
  return [...last.values()]
    .map(({ line }) => line)
    .filter((line) => line !== '')
    .sort();
}

function isAfter(a: readonly (bigint | string)[], b: readonly (bigint | string)[]): boolean {
  const differs = a.findIndex((part, index) => part !== b[index]);
  return differs >= 0 && (a[differs] as bigint) > (b[differs] as bigint);
}
