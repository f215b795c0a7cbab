import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AggregateBatchBuilder } from '../aggregate-batch-builder.ts';
import type { AggregateBatch } from '../aggregate-batch.ts';
import { calendarOf, dayMs, hourMs, monthOfDay, yearOfDay } from '../calendar.ts';
import { DaySheets } from '../day-sheets.ts';
import { appendMonthSheets, appendYearSheets, type MsSpan } from '../month-sheets.ts';
import { SheetCursor } from '../sheet-cursor.ts';
import { readingColumns, shownSheets, type ShownSheet, type WrittenReading } from '../testing/index.ts';
import { registerDaysOf, type RegisterDays } from './register-days.ts';
import type { RegisterPlan, RegisterSwitch } from './register-plan.ts';
import { RegisterSheets } from './register-sheets.ts';

const quarterMs = hourMs / 4;
const zurich = 'Europe/Zurich';
const day = (date: string): number => Date.parse(`${date}T00:00:00Z`) / dayMs;
const at = (...switches: readonly [hours: number, register: number][]): RegisterSwitch[] =>
  switches.map(([hours, register]) => ({ atMs: hours * hourMs, register }));

const gasDay: RegisterPlan = { dayStartsAtMs: 6 * hourMs, registers: [''], periods: [], holidays: new Set() };
const offPeak = at([0, 1]);
const peaks: RegisterPlan = {
  dayStartsAtMs: 0,
  registers: ['peak', 'off'],
  periods: [
    {
      fromDay: day('2024-01-01'),
      switches: { weekday: at([0, 1], [8, 0], [20, 1]), saturday: offPeak, sunday: offPeak, holiday: offPeak },
    },
    {
      fromDay: day('2024-04-01'),
      switches: { weekday: at([0, 1], [7, 0], [20, 1]), saturday: at([0, 0]), sunday: offPeak, holiday: offPeak },
    },
  ],
  holidays: new Set([day('2024-05-01')]),
};

/** A quarter hour each, the value its place. */
function quarters({ fromMs, toMs }: MsSpan, more: Partial<WrittenReading> = {}): WrittenReading[] {
  return Array.from({ length: (toMs - fromMs) / quarterMs }, (_, index) => ({
    startMs: fromMs + index * quarterMs,
    ...{ lengthMs: quarterMs, integer: 1, decimals: 3, quality: 'measured', unit: 'kWh' },
    ...more,
  }));
}

function sheets(days: RegisterDays, span: { firstDay: number; endDay: number }, readings: readonly WrittenReading[]) {
  const builder = new AggregateBatchBuilder();
  const series = days.plan.registers.map((name) => builder.series('meter', `import@x.${name}`));
  new RegisterSheets().append(builder, { ...span, series, days }, [readingColumns(readings)]);
  return builder.finish({ tenant: 'default', level: 'day', ticket: 1, causes: [] });
}

function gasDays(first: string, count: number, readings: readonly WrittenReading[]): ShownSheet[] {
  return shownSheets(
    sheets(registerDaysOf(gasDay, 'Europe/Berlin'), { firstDay: day(first), endDay: day(first) + count }, readings),
  );
}

describe('gas days', () => {
  const year = { fromMs: Date.parse('2023-12-31T00:00Z'), toMs: Date.parse('2025-01-02T00:00Z') };

  test.each([
    ['2024-03-29', '2024-03-29T05:00:00.000Z', 96],
    // The clock goes forward in the night to Sunday: the gas day of Saturday has 23 hours.
    ['2024-03-30', '2024-03-30T05:00:00.000Z', 92],
    ['2024-03-31', '2024-03-31T04:00:00.000Z', 96],
    ['2024-10-26', '2024-10-26T04:00:00.000Z', 100],
    ['2024-10-27', '2024-10-27T05:00:00.000Z', 96],
    ['2024-02-29', '2024-02-29T05:00:00.000Z', 96],
  ])('%s begins at %s and has %d quarter hours', (date, start, count) => {
    const [sheet] = gasDays(date, 1, quarters(year));
    expect(new Date(sheet?.startMs ?? 0).toISOString()).toBe(start);
    expect((sheet?.endMs ?? 0) - (sheet?.startMs ?? 0)).toBe(count * quarterMs);
    expect(sheet?.rows).toMatchObject([{ hour: 'day', count, expected: count, sum: String(count / 1000) }]);
  });

  test('add up to gas months and gas years', () => {
    const readings = quarters(year);
    const calendar = calendarOf('Europe/Berlin', gasDay.dayStartsAtMs);
    const span = { firstDay: day('2024-01-01'), endDay: day('2025-01-01') };
    const days = sheets(registerDaysOf(gasDay, 'Europe/Berlin'), span, readings);
    const builder = new AggregateBatchBuilder();
    const series = builder.series('meter', 'import@gas-day');
    const firstMonth = monthOfDay(day('2024-01-01'));
    appendMonthSheets(builder, { series, calendar, firstMonth, endMonth: firstMonth + 12 }, days);
    appendYearSheets(builder, { series, calendar, firstYear: 2024, endYear: 2025 }, days);
    const shown = shownSheets(builder.finish({ tenant: 'default', level: 'month', ticket: 2, causes: [] }));
    const counts = shown.map(({ rows }) => rows[0]?.count);
    // March is one hour short, October one longer; a leap year has 366 days.
    expect(counts.slice(0, 12)).toEqual([2976, 2784, 2972, 2880, 2976, 2880, 2976, 2976, 2880, 2980, 2880, 2976]);
    expect(counts[12]).toBe(366 * 96);
    expect(shown[12]?.rows[0]).toMatchObject({ sum: '35.136', expected: 35_136, quality: 'measured' });
    expect(shown[12]?.startMs).toBe(Date.parse('2024-01-01T05:00Z'));
  });

  test('in UTC begin at 06:00', () => {
    const { calendar } = registerDaysOf(gasDay, 'UTC');
    expect(calendar.dayOf(Date.parse('2024-01-02T05:59:59Z'))).toBe(day('2024-01-01'));
    expect(calendar.dayStartMs(day('2024-01-02'))).toBe(Date.parse('2024-01-02T06:00Z'));
  });
});

describe('registers', () => {
  const sums = (date: string): readonly (number | undefined)[] => {
    const days = registerDaysOf(peaks, zurich);
    const span = { fromMs: days.calendar.dayStartMs(day(date)), toMs: days.calendar.dayStartMs(day(date) + 1) };
    const shown = shownSheets(sheets(days, { firstDay: day(date), endDay: day(date) + 1 }, quarters(span)));
    expect(shown.every(({ rows: [row] }) => row === undefined || row.count === row.expected)).toBe(true);
    return shown.map(({ rows }) => rows[0]?.count);
  };

  test.each([
    ['2024-01-02', 48, 48, 'a Tuesday'],
    ['2024-03-31', undefined, 92, 'a Sunday of 23 hours'],
    ['2024-04-02', 52, 44, 'a Tuesday of the next period'],
    ['2024-04-06', 96, undefined, 'a Saturday of it'],
    ['2024-05-01', undefined, 96, 'a holiday'],
    ['2024-10-27', undefined, 100, 'a Sunday of 25 hours'],
    ['2023-12-29', undefined, undefined, 'a day before the calendar holds'],
  ])('of %s: %s peak and %s off-peak quarter hours, %s', (date, ...[peak, off]) => {
    expect(sums(date)).toEqual([peak, off]);
  });

  test('switch by what the clock shows, also in an hour that comes twice or never', () => {
    const night = at([0, 0], [2, 1], [2.5, 0], [3, 1], [3.5, 0]);
    const switches = { weekday: night, saturday: night, sunday: night, holiday: night };
    const plan = { ...peaks, periods: [{ fromDay: 0, switches }] };
    const pieces = (date: string): readonly string[] =>
      registerDaysOf(plan, zurich)
        .pieces(day(date))
        .filter(({ register }) => register === 1)
        .map(
          ({ fromMs, toMs }) =>
            `${new Date(fromMs).toISOString().slice(11, 16)}-${new Date(toMs).toISOString().slice(11, 16)}`,
        );
    // From 02:00 to 03:00 there is no 02:00 to 02:30 in spring, and there are two in autumn.
    expect(pieces('2024-03-31')).toEqual(['01:00-01:30']);
    expect(pieces('2024-10-27')).toEqual(['00:00-00:30', '01:00-01:30', '02:00-02:30']);
    expect(pieces('2024-06-01')).toEqual(['00:00-00:30', '01:00-01:30']);
  });

  test('of a month expect what their own spans of its days should have had', () => {
    const days = registerDaysOf(peaks, zurich);
    const month = monthOfDay(day('2024-05-01'));
    const span = { fromMs: days.calendar.monthStartMs(month), toMs: days.calendar.monthStartMs(month + 1) };
    // Of two days nothing came: a Friday and a Sunday.
    const lost = [day('2024-05-03'), day('2024-05-05')];
    const readings = quarters(span).filter(({ startMs }) => !lost.includes(days.calendar.dayOf(startMs)));
    const batch = sheets(days, { firstDay: day('2024-05-01'), endDay: day('2024-06-01') }, readings);
    const rows = [0, 1].map((register) => monthRow(days, { register, month, batch }));
    // 22 weekdays of 52 and four Saturdays of 96; nine days off-peak all day, and 44 quarter hours of 22.
    expect(rows[0]).toMatchObject({ count: 22 * 52 + 4 * 96 - 52, expected: 22 * 52 + 4 * 96, quality: 'estimated' });
    expect(rows[1]).toMatchObject({ count: 5 * 96 + 22 * 44 - 96 - 44, expected: 5 * 96 + 22 * 44 });
  });
});

function monthRow(days: RegisterDays, of: { register: number; month: number; batch: AggregateBatch }) {
  const { register, month, batch } = of;
  const own = new AggregateBatchBuilder();
  const cursorOf = shownSheets(batch);
  const each = cursorOf.length / days.plan.registers.length;
  const builder = new AggregateBatchBuilder();
  builder.series('meter', `import@x.${String(days.plan.registers[register])}`);
  copySheets(batch, own, { from: register * each, to: (register + 1) * each });
  const stored = own.finish({ tenant: 'default', level: 'day', ticket: 1, causes: [] });
  const covered = (span: MsSpan): readonly MsSpan[] => days.covered(register, span);
  appendMonthSheets(
    builder,
    { series: 0, calendar: days.calendar, firstMonth: month, endMonth: month + 1, covered },
    stored,
  );
  return shownSheets(builder.finish({ tenant: 'default', level: 'month', ticket: 2, causes: [] }))[0]?.rows[0];
}

function copySheets(batch: AggregateBatch, to: AggregateBatchBuilder, range: { from: number; to: number }): void {
  const cursor = new SheetCursor(batch);
  for (let sheet = 0; cursor.next(); sheet++) {
    if (sheet >= range.from && sheet < range.to) {
      to.copy(cursor);
    }
  }
}

describe('the registers of a day', () => {
  const zones = [zurich, 'Europe/London', 'Australia/Lord_Howe', 'America/Sao_Paulo', 'UTC'];
  const switchesOf = fc
    .uniqueArray(fc.tuple(fc.integer({ min: 1, max: 95 }), fc.nat(2)), { maxLength: 5, selector: ([slot]) => slot })
    .map((all) =>
      at([0, 0], ...all.map(([slot, register]): [number, number] => [slot / 4, register])).sort(
        (a, b) => a.atMs - b.atMs,
      ),
    );
  const planOf = fc
    .tuple(switchesOf, switchesOf, switchesOf, switchesOf)
    .map(([weekday, saturday, sunday, holiday]): RegisterPlan => ({
      dayStartsAtMs: 0,
      registers: ['a', 'b', 'c'],
      periods: [{ fromDay: 0, switches: { weekday, saturday, sunday, holiday } }],
      holidays: new Set([day('2018-11-05')]),
    }));
  const first = fc.constantFrom('2018-11-03', '2019-03-30', '2019-10-26', '2019-04-06', '2019-10-05', '2018-02-17');

  test('add up to the day, each counts what the clock shows, and days add up to months and years', () => {
    fc.assert(
      fc.property(
        planOf,
        fc.tuple(fc.constantFrom(...zones), first),
        fc.integer({ min: 1, max: 7 }),
        (plan, [zone, date], every) => {
          const days = registerDaysOf(plan, zone);
          const span = { firstDay: day(date), endDay: day(date) + 3 };
          const whole = {
            fromMs: days.calendar.dayStartMs(span.firstDay),
            toMs: days.calendar.dayStartMs(span.endDay),
          };
          const readings = quarters(whole).flatMap((reading, index) =>
            index % every === 0 ? [] : [{ ...reading, integer: index }],
          );
          const builder = new AggregateBatchBuilder();
          const request = { series: builder.series('meter', 'import'), calendar: days.calendar, ...span };
          new DaySheets().append(builder, request, [readingColumns(readings)]);
          const expected = shownSheets(builder.finish({ tenant: 'default', level: 'day', ticket: 1, causes: [] }));
          const shown = shownSheets(sheets(days, span, readings));
          expected.forEach((sheet, index) => {
            const own = shown.filter(({ startMs }) => startMs === sheet.startMs).map(({ rows }) => rows[0]);
            const row = sheet.rows.at(-1);
            const sum = (name: 'count' | 'expected'): number => own.reduce((all, each) => all + (each?.[name] ?? 0), 0);
            expect(sum('count'), `day ${index}`).toBe(row?.count ?? 0);
            const parts = own.reduce((all, each) => all + Math.round(Number(each?.sum ?? 0) * 1000), 0);
            expect(parts).toBe(Math.round(Number(row?.sum ?? 0) * 1000));
            expect(sum('expected')).toBeLessThanOrEqual(row?.expected ?? 0);
            own.forEach((each, register) => {
              const counted = readings.filter(
                ({ startMs }) =>
                  startMs >= sheet.startMs &&
                  startMs < sheet.endMs &&
                  registerByClock(plan, zone, startMs) === register,
              );
              expect(each?.count ?? 0).toBe(counted.length);
            });
          });
        },
      ),
      { numRuns: 30 },
    );
  });
});

const clocks = new Map<string, Intl.DateTimeFormat>();

/** What the clock on the wall says, and nothing else. */
function registerByClock({ periods, holidays }: RegisterPlan, timeZone: string, instantMs: number): number {
  const [date = '', time = ''] = clockOf(timeZone).format(instantMs).split(' ');
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  const own = periods[0]?.switches[holidays.has(day(date)) ? 'holiday' : kindOf(date)] ?? [];
  return own.findLast(({ atMs }) => atMs <= (hours * 60 + minutes) * 60_000)?.register ?? -1;
}

function clockOf(timeZone: string): Intl.DateTimeFormat {
  const clock =
    clocks.get(timeZone) ?? new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'short' });
  clocks.set(timeZone, clock);
  return clock;
}

function kindOf(date: string): 'weekday' | 'saturday' | 'sunday' {
  const weekday = new Date(`${date}T00:00:00Z`).getUTCDay();
  return weekday === 0 ? 'sunday' : weekday === 6 ? 'saturday' : 'weekday';
}

test('years of the Gregorian calendar', () => {
  const zone = calendarOf(zurich);
  expect((zone.yearStartMs(2025) - zone.yearStartMs(2024)) / dayMs).toBe(366);
  expect((zone.yearStartMs(2024) - zone.yearStartMs(2023)) / dayMs).toBe(365);
  expect(yearOfDay(day('2024-12-31'))).toBe(2024);
});
