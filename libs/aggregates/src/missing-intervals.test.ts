import { describe, expect, test } from 'vitest';
import { calendarOf, dayMs, hourMs } from './calendar.ts';
import { missingIntervals } from './missing-intervals.ts';
import type { RegisteredIntervals } from './registered-intervals.ts';
import { readingColumns, type WrittenReading } from './testing/index.ts';

const quarterMs = hourMs / 4;
const zurich = calendarOf('Europe/Zurich');
const quarterly: RegisteredIntervals = [{ fromMs: -Infinity, intervalMs: quarterMs }];

function readingsAt(startsMs: readonly number[], more: Partial<WrittenReading> = {}): WrittenReading[] {
  const plain = { lengthMs: quarterMs, integer: 1, decimals: 0, quality: 'measured', unit: 'kWh' } as const;
  return startsMs.map((startMs) => ({ ...plain, startMs, ...more }));
}

function missing(
  readings: readonly WrittenReading[],
  date: string,
  more: { readonly intervals?: RegisteredIntervals; readonly days?: number; readonly untilMs?: number } = {},
) {
  const { intervals = quarterly, days = 1, untilMs = Infinity } = more;
  const firstDay = Date.parse(date) / dayMs;
  const request = { calendar: zurich, firstDay, endDay: firstDay + days, intervals, untilMs };
  return missingIntervals(request, [readingColumns(readings)]);
}

describe('missing intervals', () => {
  test.each([
    ['2019-03-30', 96],
    ['2019-03-31', 92],
    ['2019-10-27', 100],
  ])('of %s are all %i quarter hours where a registered series has no reading', (date, count) => {
    const [day] = missing([], date);
    expect(day).toMatchObject({ missing: count, gaps: [{ count }] });
    expect(day?.gaps[0]).toMatchObject({ fromMs: day?.startMs, toMs: day?.endMs });
  });

  test('are joined to gaps; days that lack nothing, and what is not due, are left out', () => {
    const startMs = zurich.dayStartMs(Date.parse('2019-06-01') / dayMs);
    const all = Array.from({ length: 192 }, (_, slot) => startMs + slot * quarterMs);
    const came = all.filter((_, slot) => ![97, 98, 120].includes(slot) && slot < 130);
    const untilMs = startMs + 131.5 * quarterMs;
    expect(missing(readingsAt(came), '2019-06-01', { days: 3, untilMs })).toEqual([
      {
        startMs: startMs + dayMs,
        endMs: startMs + 2 * dayMs,
        missing: 4,
        gaps: [
          { fromMs: startMs + 97 * quarterMs, toMs: startMs + 99 * quarterMs, count: 2 },
          { fromMs: startMs + 120 * quarterMs, toMs: startMs + 121 * quarterMs, count: 1 },
          { fromMs: startMs + 130 * quarterMs, toMs: startMs + 131 * quarterMs, count: 1 },
        ],
      },
    ]);
  });

  test('are none of a series that is not registered in a day without a reading, else of its common length and phase', () => {
    const startMs = zurich.dayStartMs(Date.parse('2019-06-01') / dayMs);
    const hours = Array.from({ length: 24 }, (_, hour) => startMs + hour * hourMs + 5 * 60_000);
    const hourly = readingsAt(
      hours.filter((_, hour) => hour !== 7),
      { lengthMs: hourMs },
    );
    const found = missing([...hourly, ...readingsAt([hours[7] as number])], '2019-06-01', { intervals: [], days: 2 });
    expect(found).toMatchObject([{ missing: 1, gaps: [{ fromMs: hours[7], toMs: hours[8] }] }]);
  });

  test('are of the length that is registered when they start', () => {
    const startMs = zurich.dayStartMs(Date.parse('2019-06-01') / dayMs);
    const intervals = [...quarterly, { fromMs: startMs + 12 * hourMs, intervalMs: hourMs }];
    expect(missing([], '2019-06-01', { intervals })[0]).toMatchObject({ missing: 48 + 12 });
    const absent = readingsAt([startMs], { quality: 'missing' });
    expect(missing(absent, '2019-06-01', { intervals })[0]).toMatchObject({ missing: 48 + 12 });
  });
});
