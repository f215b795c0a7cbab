import { integerMax, qualities, type ReadingColumns } from '@meterflow/readings';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AggregateBatchBuilder } from './aggregate-batch-builder.ts';
import { calendarOf, dayMs, hourMs, type Calendar } from './calendar.ts';
import { DaySheets } from './day-sheets.ts';
import type { RegisteredIntervals } from './registered-intervals.ts';
import { readingColumns, referenceDay, shownSheets, type ShownSheet, type WrittenReading } from './testing/index.ts';

const quarterMs = hourMs / 4;
const utc = calendarOf('UTC');
const header = { tenant: 'default', level: 'day', ticket: 1, causes: [] } as const;

interface Days {
  readonly calendar?: Calendar;
  readonly firstDay?: number;
  readonly days?: number;
  readonly intervals?: RegisteredIntervals;
  readonly notBillableCodes?: ReadonlySet<string>;
}

function daySheets(columns: readonly ReadingColumns[], { calendar = utc, firstDay = 0, days = 1, ...more }: Days = {}) {
  const builder = new AggregateBatchBuilder();
  const series = builder.series('meter', 'import');
  const request = { series, calendar, firstDay, endDay: firstDay + days, ...more };
  new DaySheets().append(builder, request, columns);
  return shownSheets(builder.finish(header));
}

const reading = (startMs: number, integer: number, more: Partial<WrittenReading> = {}): WrittenReading => ({
  startMs,
  lengthMs: quarterMs,
  integer,
  decimals: 3,
  quality: 'measured',
  unit: 'kWh',
  ...more,
});
const quarterly: RegisteredIntervals = [{ fromMs: -Infinity, intervalMs: quarterMs }];
const dayRow = (sheet: ShownSheet | undefined) => sheet?.rows.at(-1);

/** Readings on the quarter-hour grid from `fromMs`, each slot at most once, of all qualities. */
function quarters(fromMs: number, toMs: number, integers: fc.Arbitrary<number>): fc.Arbitrary<WrittenReading[]> {
  const slot = fc.integer({ min: 0, max: (toMs - fromMs) / quarterMs - 1 });
  return fc.uniqueArray(
    fc
      .tuple(slot, integers, fc.nat(6), fc.constantFrom(...qualities))
      .map(([index, integer, decimals, quality]) =>
        reading(fromMs + index * quarterMs, integer, { decimals, quality }),
      ),
    { selector: ({ startMs }) => startMs, maxLength: 150 },
  );
}

describe('day sheets', () => {
  test.each([
    ['Europe/Zurich', '2019-03-31'],
    ['Europe/Zurich', '2019-10-27'],
    ['Europe/London', '2013-10-27'],
    ['Australia/Lord_Howe', '2019-04-07'],
    ['Australia/Lord_Howe', '2019-10-06'],
    ['America/St_Johns', '2010-11-07'],
    ['America/St_Johns', '2019-03-10'],
    ['UTC', '2019-03-10'],
  ])('equal a plain BigInt computation in %s around %s, whatever the order', (zone, date) => {
    const calendar = calendarOf(zone);
    const firstDay = Date.parse(date) / dayMs - 1;
    const fromMs = calendar.dayStartMs(firstDay) - hourMs;
    const readings = quarters(fromMs, calendar.dayStartMs(firstDay + 3) + hourMs, fc.integer({ min: -9e9, max: 9e9 }));
    fc.assert(
      fc.property(readings, fc.nat(3), (written, cuts) => {
        const size = Math.ceil(written.length / (cuts + 1)) || 1;
        const columns = Array.from({ length: cuts + 1 }, (_, cut) =>
          readingColumns(written.slice(cut * size, (cut + 1) * size)),
        );
        const sheets = daySheets(columns, { calendar, firstDay, days: 3, intervals: quarterly });
        const expected = [0, 1, 2].map((day) =>
          referenceDay(written, calendar, { day: firstDay + day, intervalMs: quarterMs }),
        );
        expect(sheets.map(({ rows }) => rows)).toEqual(expected);
        expect(sheets.map(({ startMs }) => startMs)).toEqual(
          [0, 1, 2].map((day) => calendar.dayStartMs(firstDay + day)),
        );
      }),
      { numRuns: 40 },
    );
  });

  test('sum exactly beyond 2^53', () => {
    const extremes = fc.constantFrom(integerMax, -integerMax, integerMax - 1, 2 ** 52, 1, -1, 0);
    const readings = fc
      .array(extremes, { minLength: 1, maxLength: 96 })
      .map((integers) => integers.map((integer, slot) => reading(slot * quarterMs, integer)));
    fc.assert(
      fc.property(readings, (written) => {
        const [sheet] = daySheets([readingColumns(written)]);
        expect(sheet?.rows).toEqual(referenceDay(written, utc, { day: 0, intervalMs: quarterMs }));
      }),
    );
  });

  test('sum exactly where fine and large values meet in a day', () => {
    const large = readingColumns([reading(0, integerMax, { decimals: 0 })]);
    const fine = readingColumns([reading(quarterMs, 123_456_789, { decimals: 9 })]);
    expect(dayRow(daySheets([large, fine])[0])?.sum).toBe('9007199254740991.123456789');
  });

  test('have an empty sheet for a day without a value, which withdraws what was there', () => {
    const absent = readingColumns([reading(0, 5, { quality: 'missing' })]);
    expect(daySheets([absent], { days: 2 }).map(({ rows }) => rows)).toEqual([[], []]);
    expect(daySheets([])).toEqual([{ startMs: 0, endMs: dayMs, unit: '', rows: [] }]);
  });

  test('pass over a day that the zone left out', () => {
    const calendar = calendarOf('Pacific/Apia');
    const firstDay = Date.parse('2011-12-29') / dayMs;
    const readings = [0, 1].map((day) => reading(calendar.dayStartMs(firstDay) + day * dayMs, 1));
    const sheets = daySheets([readingColumns(readings)], { calendar, firstDay, days: 3 });
    expect(sheets.map((sheet) => dayRow(sheet)?.sum)).toEqual(['0.001', '0.001']);
  });

  test('leave out register readings', () => {
    const columns = readingColumns([reading(0, 7), reading(quarterMs, 1_000, { lengthMs: 0 })]);
    expect(dayRow(daySheets([columns])[0])).toMatchObject({ sum: '0.007', count: 1 });
    expect(daySheets([readingColumns([reading(0, 7, { lengthMs: 0 })])])[0]?.rows).toEqual([]);
  });

  test('count an interval across an edge where it starts', () => {
    const columns = readingColumns([reading(dayMs - quarterMs / 2, 5), reading(hourMs - 1, 7)]);
    const [first, second] = daySheets([columns], { days: 2 });
    expect(first?.rows.map(({ hour, sum }) => [hour, sum])).toEqual([
      [0, '0.007'],
      [23, '0.005'],
      ['day', '0.012'],
    ]);
    expect(second?.rows).toEqual([]);
  });
});

describe('the quality of an aggregate', () => {
  test.each([
    [['measured', 'measured'], 'measured'],
    [['measured', 'substituted'], 'estimated'],
    [['estimated', 'measured'], 'estimated'],
    [['estimated', 'calculated'], 'calculated'],
    [['missing', 'measured'], 'estimated'],
    [['missing', 'calculated'], 'calculated'],
    [['measured'], 'estimated'],
  ] as const)('of the half hours %j is %s', (found, expected) => {
    const halfHourMs = 2 * quarterMs;
    const written = found.map((quality, slot) => reading(slot * halfHourMs, 1, { quality, lengthMs: halfHourMs }));
    expect(daySheets([readingColumns(written)])[0]?.rows[0]?.quality).toBe(expected);
  });

  test('of a day is estimated where one of 96 quarter hours is missing', () => {
    const whole = Array.from({ length: 96 }, (_, slot) => reading(slot * quarterMs, 1));
    expect(dayRow(daySheets([readingColumns(whole)])[0])).toMatchObject({ quality: 'measured', count: 96 });
    expect(dayRow(daySheets([readingColumns(whole.slice(1))])[0])).toMatchObject({
      quality: 'estimated',
      expected: 96,
    });
  });
});

describe('surplus readings', () => {
  const halfHours = [0, 2, 4].map((slot) => reading(slot * quarterMs, 100, { lengthMs: 2 * quarterMs }));
  const quarterHours = [0, 1].map((slot) => reading(slot * quarterMs, 1));

  test('are those of another length than the registered one', () => {
    const columns = [readingColumns([...halfHours, ...quarterHours])];
    expect(dayRow(daySheets(columns, { intervals: quarterly })[0])).toMatchObject({
      sum: '0.002',
      count: 2,
      surplus: 3,
    });
  });

  test('are all that a day says in which nothing is summed, and its hours are not there', () => {
    const [sheet] = daySheets([readingColumns(halfHours)], { intervals: quarterly });
    expect(sheet?.unit).toBe('');
    expect(sheet?.rows).toMatchObject([
      {
        hour: 'day',
        sum: '0',
        min: '0',
        max: '0',
        count: 0,
        surplus: 3,
        expected: 96,
        quality: 'missing',
        peakOffsetMs: 0,
      },
    ]);
  });

  test('say the same whatever other days are computed beside', () => {
    const gas = reading(dayMs, 1, { unit: 'm3' });
    const [alone] = daySheets([readingColumns(halfHours)], { intervals: quarterly });
    expect(daySheets([readingColumns([...halfHours, gas])], { intervals: quarterly, days: 2 })[0]).toEqual(alone);
  });

  test('are decided by the length that is registered when they start, within one day and one hour', () => {
    const changeMs = 6 * quarterMs;
    const intervals = [...quarterly, { fromMs: changeMs, intervalMs: 2 * quarterMs }];
    const quarters = [0, 1, 2, 3, 4, 5, 6, 7].map((slot) => reading(slot * quarterMs, 1));
    const halves = [4, 6, 8].map((slot) => reading(slot * quarterMs, 100, { lengthMs: 2 * quarterMs }));
    for (const columns of [
      [...quarters, ...halves],
      [...halves, ...quarters],
    ]) {
      const [sheet] = daySheets([readingColumns(columns)], { intervals });
      expect(
        sheet?.rows.map(({ hour, sum, count, expected, surplus }) => [hour, sum, count, expected, surplus]),
      ).toEqual([
        [0, '0.004', 4, 4, 0],
        [1, '0.102', 3, 3, 3],
        [2, '0.1', 1, 2, 0],
        ['day', '0.206', 8, 6 + 45, 3],
      ]);
    }
  });

  test('are of the most common length up to the instant at which one is registered', () => {
    const intervals = [{ fromMs: 4 * quarterMs, intervalMs: quarterMs }];
    const columns = readingColumns([...halfHours, ...[4, 5].map((slot) => reading(slot * quarterMs, 1))]);
    expect(dayRow(daySheets([columns], { intervals })[0])).toMatchObject({
      sum: '0.202',
      surplus: 1,
      expected: 2 + 92,
    });
  });

  test('are, where none is registered, those of a rarer length; of equally common ones the shorter counts', () => {
    expect(dayRow(daySheets([readingColumns([...quarterHours, ...halfHours])])[0])?.sum).toBe('0.3');
    expect(dayRow(daySheets([readingColumns([...quarterHours, ...halfHours.slice(1)])])[0])?.sum).toBe('0.002');
  });

  test('are decided day by day, and withdrawn readings have no say', () => {
    const tomorrow = quarterHours.map((written) => ({ ...written, startMs: written.startMs + dayMs }));
    const withdrawn = halfHours.map((written) => ({
      ...written,
      startMs: written.startMs + dayMs,
      quality: 'missing' as const,
    }));
    const columns = [readingColumns([...halfHours, ...quarterHours, ...tomorrow, ...withdrawn])];
    expect(daySheets(columns, { days: 2 }).map((sheet) => dayRow(sheet)?.sum)).toEqual(['0.3', '0.002']);
  });
});

describe('the peak', () => {
  test('is when the highest reading starts, the earliest of equals in whatever order they come', () => {
    const written = [5, 9, 9, 2].map((integer, slot) => reading(slot * quarterMs, integer));
    const later = [7, 9].map((integer, slot) => reading(hourMs + slot * quarterMs, integer));
    for (const columns of [
      [readingColumns([...written, ...later])],
      [readingColumns(later), readingColumns(written)],
    ]) {
      const [sheet] = daySheets(columns);
      expect(sheet?.rows.map(({ hour, max, peakOffsetMs }) => [hour, max, peakOffsetMs])).toEqual([
        [0, '0.009', quarterMs],
        [1, '0.009', quarterMs],
        ['day', '0.009', quarterMs],
      ]);
    }
  });
});

describe('readings that must not be billed', () => {
  test('are those estimated by no method, and those of a code that the tenant names', () => {
    const written = [
      reading(0, 1, { quality: 'estimated' }),
      reading(quarterMs, 1, { quality: 'estimated', method: 'like-day' }),
      reading(2 * quarterMs, 1, { quality: 'substituted' }),
      reading(3 * quarterMs, 1, { code: 'E86' }),
    ];
    const rowWith = (codes: readonly string[]) =>
      dayRow(daySheets([readingColumns(written)], { notBillableCodes: new Set(codes) })[0]);
    expect(rowWith([])).toMatchObject({ count: 4, estimated: 2, substituted: 1, notBillable: 1 });
    expect(rowWith(['E86', 'E1'])).toMatchObject({ count: 4, notBillable: 2 });
  });
});

describe('the inputs of a sheet', () => {
  test('are the newest of the readings that the day is computed from', () => {
    const builder = new AggregateBatchBuilder();
    const request = { series: builder.series('meter', 'import'), calendar: utc, firstDay: 0, endDay: 2 };
    const columns = [
      readingColumns([reading(0, 1, { declared: 7 })]),
      readingColumns([reading(dayMs, 1, { declared: 9 })]),
      readingColumns([reading(quarterMs, 1, { declared: 0 })]),
    ];
    new DaySheets().append(builder, request, columns);
    const { sheets } = builder.finish(header);
    expect(sheets.declared).toEqual(Float64Array.of(7, 9));
    expect(sheets.acceptedAtMs).toEqual(Float64Array.of(5, 0));
  });
});

describe('mixed units', () => {
  test('are converted exactly to the finest of the day', () => {
    const columns = readingColumns([reading(0, 1_500), reading(quarterMs, 25, { decimals: 1, unit: 'Wh' })]);
    const [sheet] = daySheets([columns]);
    expect(sheet?.unit).toBe('Wh');
    expect(dayRow(sheet)).toMatchObject({ sum: '1502.5', min: '2.5', max: '1500', count: 2 });
  });

  test('that measure something else than most values are left out, in whatever order they come', () => {
    const written = [reading(0, 9, { unit: 'kvarh' }), reading(quarterMs, 5), reading(2 * quarterMs, 6)];
    for (const order of [written, [...written].reverse()]) {
      const [sheet] = daySheets([readingColumns(order)]);
      expect(sheet?.unit).toBe('kWh');
      expect(dayRow(sheet)).toMatchObject({ sum: '0.011', count: 2 });
    }
  });

  test('that are unknown convert to themselves alone', () => {
    const columns = readingColumns([reading(0, 5, { unit: 'furlong' }), reading(quarterMs, 6, { unit: 'furlong' })]);
    expect(dayRow(daySheets([columns])[0])?.sum).toBe('0.011');
  });
});
