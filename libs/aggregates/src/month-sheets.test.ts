import { describe, expect, test } from 'vitest';
import { AggregateBatchBuilder } from './aggregate-batch-builder.ts';
import { unknownPeak, type AggregateBatch } from './aggregate-batch.ts';
import { calendarOf, dayMs, firstDayOfMonth, hourMs, monthOfDay } from './calendar.ts';
import { DaySheets } from './day-sheets.ts';
import { appendMonthSheets } from './month-sheets.ts';
import type { RegisteredIntervals } from './registered-intervals.ts';
import { readingColumns, shownSheets, type WrittenReading } from './testing/index.ts';

const zurich = calendarOf('Europe/Zurich');
const march = monthOfDay(Date.UTC(2019, 2, 1) / dayMs);
const hourly = (startMs: number, more: Partial<WrittenReading> = {}): WrittenReading => ({
  startMs,
  lengthMs: hourMs,
  integer: 1,
  decimals: 1,
  quality: 'measured',
  unit: 'kWh',
  ...more,
});

interface Months {
  readonly firstMonth?: number;
  readonly endMonth?: number;
  readonly intervals?: RegisteredIntervals;
}

function days(
  readings: readonly WrittenReading[],
  { firstMonth = march, endMonth = march + 1, intervals = [] }: Months = {},
): AggregateBatch {
  const builder = new AggregateBatchBuilder();
  const request = {
    series: builder.series('meter', 'import'),
    calendar: zurich,
    firstDay: firstDayOfMonth(firstMonth),
    endDay: firstDayOfMonth(endMonth),
    intervals,
  };
  new DaySheets().append(builder, request, [readingColumns(readings)]);
  return builder.finish({ tenant: 'default', level: 'day', ticket: 1, causes: [] });
}

function months(readings: readonly WrittenReading[], of: Months = {}) {
  const { firstMonth = march, endMonth = march + 1, intervals = [] } = of;
  const builder = new AggregateBatchBuilder();
  const series = builder.series('meter', 'import');
  const request = { series, calendar: zurich, firstMonth, endMonth, intervals };
  appendMonthSheets(builder, request, days(readings, of));
  return shownSheets(builder.finish({ tenant: 'default', level: 'month', ticket: 2, causes: [] }));
}

describe('month sheets', () => {
  test('span the local month, its change of clock included', () => {
    const startMs = zurich.monthStartMs(march);
    const readings = Array.from({ length: 31 * 24 + 1 }, (_, hour) => hourly(startMs + hour * hourMs));
    const [first, second] = months(readings, { endMonth: march + 2 });
    expect(first).toMatchObject({ startMs, endMs: startMs + (31 * 24 - 1) * hourMs, unit: 'kWh' });
    expect(first?.rows).toMatchObject([
      { hour: 'day', sum: '74.3', min: '0.1', max: '0.1', count: 743, expected: 743, quality: 'measured' },
    ]);
    expect(second?.rows[0]).toMatchObject({ sum: '0.2', count: 2, expected: 720, quality: 'estimated' });
  });

  test('have the peak of their days, the earliest of equals, and their counts', () => {
    const startMs = zurich.monthStartMs(march);
    const readings = [
      hourly(startMs + 9 * dayMs + 5 * hourMs, { integer: 8 }),
      hourly(startMs + 4 * dayMs + 7 * hourMs, { integer: 8, quality: 'estimated' }),
      hourly(startMs + 4 * dayMs + 8 * hourMs, { integer: 3, quality: 'substituted' }),
      hourly(startMs + 5 * dayMs, { lengthMs: hourMs / 4 }),
      hourly(startMs + 5 * dayMs + hourMs),
      hourly(startMs + 5 * dayMs + 2 * hourMs),
    ];
    expect(months(readings)[0]?.rows[0]).toMatchObject({
      ...{ max: '0.8', peakOffsetMs: 4 * dayMs + 7 * hourMs, count: 5, expected: 743, surplus: 1 },
      ...{ estimated: 1, substituted: 1, notBillable: 1, quality: 'estimated' },
    });
  });

  test('expect of days without a sheet what is registered for them', () => {
    const builder = new AggregateBatchBuilder();
    const startMs = zurich.monthStartMs(march);
    const request = {
      ...{ series: builder.series('meter', 'import'), calendar: zurich, firstMonth: march, endMonth: march + 1 },
      intervals: [{ fromMs: startMs + 10 * dayMs, intervalMs: hourMs / 4 }],
    };
    appendMonthSheets(builder, request, days([hourly(startMs + 30 * dayMs)]));
    const [sheet] = shownSheets(builder.finish({ tenant: 'default', level: 'month', ticket: 2, causes: [] }));
    // Ten days of hours, twenty of quarter hours, and the one that has a sheet: 23 hours, of which it was not known better.
    expect(sheet?.rows[0]?.expected).toBe(10 * 24 + 20 * 96 + 23);
  });

  test('don’t tell what was expected where a day does not, since a build before wrote it', () => {
    const startMs = zurich.monthStartMs(march);
    const batch = days([hourly(startMs), hourly(startMs + dayMs)]);
    batch.rows.peakOffsetMs[1] = unknownPeak;
    const builder = new AggregateBatchBuilder();
    const request = {
      series: builder.series('meter', 'import'),
      calendar: zurich,
      firstMonth: march,
      endMonth: march + 1,
    };
    appendMonthSheets(builder, request, batch);
    const [sheet] = shownSheets(builder.finish({ tenant: 'default', level: 'month', ticket: 2, causes: [] }));
    expect(sheet?.rows[0]).toMatchObject({ count: 2, expected: 2, peakOffsetMs: unknownPeak });
  });

  test('have the surplus of days that have nothing else, and that alone where no day has', () => {
    const startMs = zurich.monthStartMs(march);
    const intervals = [{ fromMs: -Infinity, intervalMs: hourMs }];
    const quarterly = [0, 1, 2].map((quarter) => hourly(startMs + (quarter * hourMs) / 4, { lengthMs: hourMs / 4 }));
    const others = [hourly(startMs + dayMs), hourly(startMs + dayMs, { lengthMs: hourMs / 4, integer: 9 })];
    const [both] = months([...others, ...quarterly], { intervals });
    expect(both).toMatchObject({ unit: 'kWh' });
    expect(both?.rows).toMatchObject([
      { sum: '0.1', min: '0.1', max: '0.1', count: 1, expected: 743, surplus: 4, peakOffsetMs: dayMs },
    ]);
    const [alone] = months(quarterly, { intervals });
    expect(alone?.rows).toMatchObject([
      { sum: '0', count: 0, expected: 743, surplus: 3, quality: 'missing', peakOffsetMs: 0 },
    ]);
  });

  test('count all of a day in another unit as surplus, its own surplus too', () => {
    const startMs = zurich.monthStartMs(march);
    const gas = [0, 1].map((hour) => hourly(startMs + hour * hourMs, { unit: 'm3' }));
    const short = hourly(startMs, { lengthMs: hourMs / 4, unit: 'm3' });
    const energy = [3, 4, 5].map((hour) => hourly(startMs + dayMs + hour * hourMs));
    expect(months([...gas, short, ...energy])[0]?.rows).toMatchObject([{ sum: '0.3', count: 3, surplus: 3 }]);
  });

  test('are empty without a day', () => {
    expect(months([])[0]?.rows).toEqual([]);
  });

  test('sum exactly beyond 2^53, in the finest unit of the month, by the quality rule', () => {
    const startMs = zurich.monthStartMs(march);
    const large = Array.from({ length: 3 }, (_, day) =>
      hourly(startMs + day * dayMs, { integer: Number.MAX_SAFE_INTEGER, decimals: 0 }),
    );
    const fine = hourly(startMs + 9 * dayMs, { unit: 'Wh', decimals: 0, quality: 'substituted' });
    const [sheet] = months([...large, fine]);
    expect(sheet?.unit).toBe('Wh');
    expect(sheet?.rows[0]).toMatchObject({
      sum: (3n * BigInt(Number.MAX_SAFE_INTEGER) * 1000n + 1n).toString(),
      count: 4,
      quality: 'estimated',
    });
  });
});
