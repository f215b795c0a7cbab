import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { calendarOf, dayMs, hourMs, monthOfDay } from './calendar.ts';
import { intervalsWithin, type RegisteredIntervals } from './registered-intervals.ts';

const quarterMs = hourMs / 4;
const day = (date: string): number => Date.parse(date) / dayMs;

function quartersOfDay(zone: string, date: string): number {
  const calendar = calendarOf(zone);
  const [fromMs, toMs] = [calendar.dayStartMs(day(date)), calendar.dayStartMs(day(date) + 1)];
  return intervalsWithin([{ fromMs: -Infinity, intervalMs: quarterMs }], 0, { fromMs, toMs });
}

function quartersOfMonth(zone: string, date: string): number {
  const calendar = calendarOf(zone);
  const month = monthOfDay(day(date));
  const [fromMs, toMs] = [calendar.monthStartMs(month), calendar.monthStartMs(month + 1)];
  return intervalsWithin([], quarterMs, { fromMs, toMs });
}

describe('the quarter hours that are expected', () => {
  test.each([
    ['Europe/Zurich', '2019-03-31', 92],
    ['Europe/Zurich', '2019-06-01', 96],
    ['Europe/Zurich', '2019-10-27', 100],
    ['Europe/London', '2013-10-27', 100],
    ['Australia/Lord_Howe', '2019-10-06', 94],
    ['Australia/Lord_Howe', '2019-04-07', 98],
    ['America/St_Johns', '2019-03-10', 92],
    ['Asia/Kolkata', '2019-03-10', 96],
    ['Pacific/Apia', '2011-12-30', 0],
    ['Pacific/Apia', '2011-12-31', 96],
    ['Antarctica/Troll', '2019-10-27', 104],
  ])('of a day in %s on %s are %i', (zone, date, count) => {
    expect(quartersOfDay(zone, date)).toBe(count);
  });

  test.each([
    ['Europe/Zurich', '2019-03-01', 2_972],
    ['Europe/Zurich', '2019-05-01', 2_976],
    ['Europe/Zurich', '2019-10-01', 2_980],
    ['Australia/Lord_Howe', '2019-10-01', 2_974],
    ['Pacific/Apia', '2011-12-01', 2_880],
  ])('of a month in %s from %s on are %i', (zone, date, count) => {
    expect(quartersOfMonth(zone, date)).toBe(count);
  });
});

test('the parts of a span expect together what the whole does, wherever lengths change', () => {
  const length = fc.constantFrom(undefined, 60_000, quarterMs, hourMs / 2, hourMs, 7 * 60_000, dayMs);
  const changes = fc.array(fc.tuple(fc.integer({ min: -dayMs, max: 3 * dayMs }), length), { maxLength: 5 });
  const cuts = fc.array(fc.nat(2 * dayMs), { maxLength: 9 });
  fc.assert(
    fc.property(changes, cuts, (changed, cut) => {
      const intervals: RegisteredIntervals = [...changed]
        .sort(([a], [b]) => a - b)
        .map(([fromMs, intervalMs]) => ({ fromMs, intervalMs }));
      const edges = [0, ...cut.sort((a, b) => a - b), 2 * dayMs];
      const parts = edges.slice(1).map((toMs, index) => {
        return intervalsWithin(intervals, hourMs, { fromMs: edges[index] as number, toMs });
      });
      const whole = intervalsWithin(intervals, hourMs, { fromMs: 0, toMs: 2 * dayMs });
      expect(parts.reduce((sum, part) => sum + part, 0)).toBe(whole);
    }),
  );
});
