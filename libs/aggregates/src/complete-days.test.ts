import { expect, test } from 'vitest';
import { AggregateBatchBuilder } from './aggregate-batch-builder.ts';
import { unknownPeak, type AggregateBatch } from './aggregate-batch.ts';
import { calendarOf, dayMs, hourMs } from './calendar.ts';
import { CompleteDays, type CompleteDaysRequest } from './complete-days.ts';
import { DaySheets } from './day-sheets.ts';
import { readingColumns } from './testing/index.ts';
import { completeReasons } from './windows-complete.ts';

const zurich = calendarOf('Europe/Zurich');
/** The day of 23 hours. */
const day = zurich.dayOf(Date.UTC(2024, 2, 31, 12));
const series = { meter: 'm1', channel: 'import' };
const neverClosedMs = -Infinity;

/** Hours of the days before, of and after the change of clocks: so many of each. */
function sheets(hours: readonly number[], ticket = 7): AggregateBatch {
  const builder = new AggregateBatchBuilder();
  const request = { series: builder.series('m1', 'import'), calendar: zurich, firstDay: day - 1, endDay: day + 2 };
  const readings = hours.flatMap((count, index) =>
    Array.from({ length: count }, (_, hour) => ({
      ...{ startMs: zurich.dayStartMs(day - 1 + index) + hour * hourMs, lengthMs: hourMs, integer: 1, decimals: 0 },
      ...({ quality: 'measured', unit: 'kWh' } as const),
    })),
  );
  new DaySheets().append(builder, request, [readingColumns(readings)]);
  return builder.finish({ tenant: 'acme', level: 'day', ticket, causes: [] });
}

function told(batch: AggregateBatch, more: Partial<CompleteDaysRequest> = {}): readonly string[] {
  const days = new CompleteDays();
  const span = { firstDay: day - 1, endDay: day + 2 };
  days.append({ series, calendar: zurich, ...span, closedThroughMs: neverClosedMs, ...more }, batch);
  const complete = days.finish('acme');
  return Array.from(complete?.index ?? [], (index, row) => {
    const { meter } = complete!.series[index]!;
    const local = zurich.dayOf(complete!.startMs[row]!) - day;
    const reason = completeReasons[complete!.reason[row]!];
    return `${meter} ${local} ${reason} ${complete!.count[row]}/${complete!.expected[row]} at ${complete!.ticket[row]}`;
  });
}

test('a day is whole when none of its readings is missing, on the day of a clock change too', () => {
  expect(told(sheets([24, 23, 23]))).toEqual(['m1 -1 whole 24/24 at 7', 'm1 0 whole 23/23 at 7']);
});

test('a day is told as closed where it is not whole', () => {
  const closedThroughMs = zurich.dayStartMs(day + 1);
  expect(told(sheets([24, 22, 23]), { closedThroughMs })).toEqual(['m1 -1 whole 24/24 at 7', 'm1 0 closed 22/23 at 7']);
});

test('a closed day of which nothing came is told with what is registered', () => {
  const request = { firstDay: day, endDay: day + 1, closedThroughMs: zurich.dayStartMs(day + 1) };
  const intervals = [{ fromMs: 0, intervalMs: hourMs / 4 }];
  // A day whose readings were withdrawn has a sheet without rows, of a ticket; one that nothing is known of has none.
  expect(told(sheets([24, 0, 0], 9), { ...request, intervals })).toEqual(['m1 0 closed 0/92 at 9']);
  const nothing = new AggregateBatchBuilder().finish({ tenant: 'acme', level: 'day', ticket: 0, causes: [] });
  expect(told(nothing, { ...request, intervals })).toEqual(['m1 0 closed 0/92 at 0']);
  expect(told(nothing, request)).toEqual(['m1 0 closed 0/0 at 0']);
  expect(told(nothing, { ...request, closedThroughMs: neverClosedMs })).toEqual([]);
});

test('a day that a build before wrote is never taken for whole', () => {
  const batch = sheets([24, 0, 0]);
  batch.rows.peakOffsetMs.fill(unknownPeak);
  expect(told(batch)).toEqual([]);
  expect(told(batch, { endDay: day, closedThroughMs: zurich.dayStartMs(day) })).toEqual(['m1 -1 closed 24/0 at 7']);
});

test('runs of one series name it once', () => {
  const days = new CompleteDays();
  const batch = sheets([24, 23, 24]);
  for (const firstDay of [day - 1, day + 1]) {
    days.append({ series, calendar: zurich, firstDay, endDay: firstDay + 1, closedThroughMs: neverClosedMs }, batch);
  }
  const complete = days.finish('acme');
  expect(complete?.series).toEqual([series]);
  expect([...complete!.startMs].map((startMs) => (startMs - zurich.dayStartMs(day)) / dayMs).map(Math.round)).toEqual([
    -1, 1,
  ]);
  expect(new CompleteDays().finish('acme')).toBeUndefined();
});
