import { describe, expect, test } from 'vitest';
import { AggregateBatchBuilder } from './aggregate-batch-builder.ts';
import type { AggregateBatch } from './aggregate-batch.ts';
import { calendarOf, dayMs, firstDayOfMonth, hourMs, monthOfDay } from './calendar.ts';
import { DaySheets } from './day-sheets.ts';
import { appendMonthSheets } from './month-sheets.ts';
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

function days(readings: readonly WrittenReading[], firstMonth: number, endMonth: number): AggregateBatch {
  const builder = new AggregateBatchBuilder();
  const request = {
    series: builder.series('meter', 'import'),
    calendar: zurich,
    firstDay: firstDayOfMonth(firstMonth),
    endDay: firstDayOfMonth(endMonth),
  };
  new DaySheets().append(builder, request, [readingColumns(readings)]);
  return builder.finish({ tenant: 'default', level: 'day', ticket: 1, causes: [] });
}

function months(readings: readonly WrittenReading[], firstMonth = march, endMonth = march + 1) {
  const builder = new AggregateBatchBuilder();
  const series = builder.series('meter', 'import');
  const request = { series, calendar: zurich, firstMonth, endMonth };
  appendMonthSheets(builder, request, days(readings, firstMonth, endMonth));
  return shownSheets(builder.finish({ tenant: 'default', level: 'month', ticket: 2, causes: [] }));
}

describe('month sheets', () => {
  test('span the local month, its change of clock included', () => {
    const startMs = zurich.monthStartMs(march);
    const readings = Array.from({ length: 31 * 24 + 1 }, (_, hour) => hourly(startMs + hour * hourMs));
    const [first, second] = months(readings, march, march + 2);
    expect(first).toMatchObject({ startMs, endMs: startMs + (31 * 24 - 1) * hourMs, unit: 'kWh' });
    expect(first?.rows).toEqual([
      { hour: 'day', sum: '74.3', min: '0.1', max: '0.1', count: 743, quality: 'measured' },
    ]);
    expect(second?.rows[0]).toMatchObject({ sum: '0.2', count: 2 });
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
