import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AggregateBatchBuilder, AggregateRow } from './aggregate-batch-builder.ts';
import { wholeWindow, type AggregateBatch } from './aggregate-batch.ts';
import { canonicalAggregate } from './canonical-aggregate.ts';
import { dayMs, hourMs } from './calendar.ts';
import { sameSheet } from './same-sheet.ts';
import { SheetCursor } from './sheet-cursor.ts';
import { shownSheets } from './testing/index.ts';
import { formatMean, formatSum, meanInteger, setSum, sumInteger } from './wide-sum.ts';

const header = { tenant: 'default', level: 'day', ticket: 1, causes: [] } as const;

interface Written {
  readonly meter?: string;
  readonly day?: number;
  readonly decimals?: number;
  readonly unit?: string;
  readonly hours?: Readonly<Record<number, number>>;
}

function append(
  builder: AggregateBatchBuilder,
  { meter = 'm', day = 0, decimals = 3, unit = 'kWh', hours = {} }: Written,
) {
  const series = builder.series(meter, 'import');
  builder.begin({ series, startMs: day * dayMs, endMs: (day + 1) * dayMs, unit: builder.text(unit), decimals });
  const row = new AggregateRow();
  row.count = 1;
  for (const [hour, integer] of Object.entries(hours)) {
    row.hour = Number(hour);
    setSum(row, integer);
    row.min = integer;
    row.max = integer;
    builder.append(row);
  }
}

function batchOf(...written: readonly Written[]): AggregateBatch {
  const builder = new AggregateBatchBuilder();
  for (const sheet of written) {
    append(builder, sheet);
  }
  return builder.finish(header);
}

function firstSheet(batch: AggregateBatch): SheetCursor {
  const cursor = new SheetCursor(batch);
  cursor.next();
  return cursor;
}

describe('an aggregate batch', () => {
  test('brings its sheets to common decimals and keeps every value', () => {
    const batch = batchOf({ hours: { 0: 5, 255: 5 } }, { day: 1, decimals: 9, hours: { 3: 123_456_789 } });
    expect(batch.decimals).toBe(9);
    expect(shownSheets(batch).map(({ rows }) => rows.map(({ hour, sum, min }) => [hour, sum, min]))).toEqual([
      [
        [0, '0.005', '0.005'],
        ['day', '0.005', '0.005'],
      ],
      [[3, '0.123456789', '0.123456789']],
    ]);
  });

  test('holds more sheets and rows than it began with, and starts over after finish', () => {
    const builder = new AggregateBatchBuilder();
    const hours = Object.fromEntries(Array.from({ length: 24 }, (_, hour) => [hour, hour]));
    for (let day = 0; day < 300; day++) {
      append(builder, { meter: `m${day % 7}`, day, hours });
    }
    expect([builder.sheetCount, builder.rowCount]).toEqual([300, 7_200]);
    const batch = builder.finish(header);
    expect(batch.series).toHaveLength(7);
    expect(shownSheets(batch).every(({ rows }) => rows.length === 24 && rows[23]?.sum === '0.023')).toBe(true);
    expect(builder.finish(header).sheets.rows).toHaveLength(0);
  });

  test('takes over sheets of another batch', () => {
    const original = batchOf(
      { hours: { 0: 1, 255: 1 } },
      { day: 4, hours: {} },
      { meter: 'n', day: 2, hours: { 5: 7 } },
    );
    const builder = new AggregateBatchBuilder();
    append(builder, { decimals: 6, day: 9, hours: { 1: 2_500 } });
    const cursor = new SheetCursor(original);
    while (cursor.next()) {
      builder.copy(cursor);
    }
    expect(shownSheets(builder.finish(header)).slice(1)).toEqual(shownSheets(original));
  });
});

/** A value of up to 15 digits at any decimals. */
const decimalValue = fc.record({
  integer: fc.oneof(fc.integer({ min: -999_999_999_999_999, max: 999_999_999_999_999 }), fc.integer()),
  decimals: fc.nat(9),
});

test('least and greatest are the same and exact, whatever a sheet is grouped with, however often it is copied', () => {
  const values = fc.array(decimalValue, { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(values, fc.array(fc.nat(7), { maxLength: 8 }), (found, groups) => {
      const sheets = found.map(({ integer, decimals }, day) => ({ day, decimals, hours: { 0: integer } }));
      // Sheet after sheet joins those before it: each is brought to finer decimals once for every finer one that comes.
      let together = batchOf();
      sheets.forEach((sheet, index) => {
        const builder = new AggregateBatchBuilder();
        for (const cursor = new SheetCursor(together); cursor.next();) {
          builder.copy(cursor);
        }
        append(builder, sheet);
        together = builder.finish(header);
        if (groups[index] === 0) {
          together = batchOf(...sheets.slice(0, index + 1));
        }
      });
      const shown = shownSheets(together).map(({ rows }) => [rows[0]?.min, rows[0]?.max, rows[0]?.sum]);
      const alone = found.map(({ integer, decimals }) => Array(3).fill(formatSum(0, integer, decimals)) as string[]);
      expect(shown).toEqual(alone);
      const cursor = new SheetCursor(together);
      for (const sheet of sheets) {
        cursor.next();
        expect(sameSheet(cursor, firstSheet(batchOf(sheet)))).toBe(true);
      }
    }),
    { numRuns: 300 },
  );
});

describe('two sheets', () => {
  const sheet = { hours: { 0: 1_000, [wholeWindow]: 1_000 } };

  test('say the same when they differ in decimals alone', () => {
    const finer = { decimals: 6, hours: { 0: 1_000_000, [wholeWindow]: 1_000_000 } };
    expect(sameSheet(firstSheet(batchOf(sheet)), firstSheet(batchOf(finer)))).toBe(true);
    expect(sameSheet(firstSheet(batchOf(sheet)), firstSheet(batchOf(sheet)))).toBe(true);
  });

  test.each<[string, Written]>([
    ['value', { hours: { 0: 1_001, [wholeWindow]: 1_001 } }],
    ['value and decimals', { decimals: 6, hours: { 0: 1_000, [wholeWindow]: 1_000 } }],
    ['hour', { hours: { 1: 1_000, [wholeWindow]: 1_000 } }],
    ['rows', { hours: { [wholeWindow]: 1_000 } }],
    ['unit', { ...sheet, unit: 'Wh' }],
    ['window', { ...sheet, day: 1 }],
  ])('do not when they differ in %s', (_, other) => {
    expect(sameSheet(firstSheet(batchOf(sheet)), firstSheet(batchOf(other)))).toBe(false);
  });
});

describe('sums', () => {
  test('come back as they were set, however wide', () => {
    const sum = { sumHigh: 0, sumLow: 0 };
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }), (integer) => {
        setSum(sum, integer);
        expect(sumInteger(sum.sumHigh, sum.sumLow)).toBe(integer);
        expect(formatSum(sum.sumHigh, sum.sumLow, 0)).toBe(integer.toString());
      }),
    );
    fc.assert(
      fc.property(fc.maxSafeInteger(), (integer) => {
        setSum(sum, integer);
        expect(sumInteger(sum.sumHigh, sum.sumLow)).toBe(BigInt(integer));
      }),
    );
  });

  test.each([
    { integer: 1, decimals: 0, count: 3, mean: '0.333333333' },
    { integer: 2, decimals: 0, count: 3, mean: '0.666666667' },
    { integer: -2, decimals: 0, count: 3, mean: '-0.666666667' },
    { integer: 1, decimals: 9, count: 2, mean: '0' },
    { integer: 3, decimals: 9, count: 2, mean: '0.000000002' },
    { integer: 5, decimals: 1, count: 1, mean: '0.5' },
  ])('$integer of 10^-$decimals over $count have the mean $mean', ({ integer, decimals, count, mean }) => {
    const sum = { sumHigh: 0, sumLow: 0 };
    setSum(sum, integer);
    expect(formatMean(sum, decimals, count)).toBe(mean);
  });
});

test('means are the same from a number and from a BigInt', () => {
  fc.assert(
    fc.property(fc.integer({ min: -1000, max: 1000 }), fc.integer({ min: 1, max: 50 }), (sum, count) => {
      expect(BigInt(meanInteger(sum, count))).toBe(meanInteger(BigInt(sum), count));
    }),
  );
});

test('the canonical export names each window, and no ticket', () => {
  const cursor = firstSheet(batchOf({ meter: 'MAC1', hours: { 23: 1_500, [wholeWindow]: 1_500 } }));
  expect(canonicalAggregate(cursor, 0)).toEqual({
    kind: 'aggregate',
    tenant: 'default',
    meter: 'MAC1',
    channel: 'import',
    resolution: 'hour',
    start: new Date(23 * hourMs).toISOString().replace('.000', ''),
    end: '1970-01-02T00:00:00Z',
    sum: '1.5',
    min: '1.5',
    max: '1.5',
    count: 1,
    unit: 'kWh',
    quality: 'measured',
  });
  expect(canonicalAggregate(cursor, 1)).toMatchObject({
    resolution: 'day',
    start: '1970-01-01T00:00:00Z',
    end: '1970-01-02T00:00:00Z',
  });
});
