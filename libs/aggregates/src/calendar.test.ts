import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Calendar, calendarOf, dayMs, firstDayOfMonth, hourMs, monthOfDay, UnknownTimeZoneError } from './calendar.ts';

const zones = ['UTC', 'Europe/Zurich', 'Europe/London', 'Australia/Lord_Howe', 'America/St_Johns', 'Pacific/Apia'];
const day = (date: string): number => Date.parse(`${date}T00:00:00Z`) / dayMs;
const start = (zone: string, date: string): string => new Date(calendarOf(zone).dayStartMs(day(date))).toISOString();
const hours = (zone: string, date: string): number => {
  const calendar = calendarOf(zone);
  return (calendar.dayStartMs(day(date) + 1) - calendar.dayStartMs(day(date))) / hourMs;
};

describe('a local day', () => {
  test('is the UTC day in UTC', () => {
    expect(start('UTC', '2012-10-28')).toBe('2012-10-28T00:00:00.000Z');
    expect(calendarOf('UTC').dayOf(-1)).toBe(-1);
  });

  test.each([
    ['Europe/Zurich', '2019-03-31', 23],
    ['Europe/Zurich', '2019-10-27', 25],
    ['Europe/London', '2013-03-31', 23],
    ['Europe/London', '2013-10-27', 25],
    ['Australia/Lord_Howe', '2019-10-06', 23.5],
    ['Australia/Lord_Howe', '2019-04-07', 24.5],
    ['Antarctica/Troll', '2019-10-27', 26],
    ['Pacific/Apia', '2011-12-30', 0],
  ])('of %s on %s has %d hours', (zone, date, expected) => {
    expect(hours(zone, date)).toBe(expected);
  });

  test('begins at the first midnight where the clock shows two', () => {
    // St John's set its clock back at 00:01, to 23:01 of the day before.
    expect(start('America/St_Johns', '2010-11-07')).toBe('2010-11-07T02:30:00.000Z');
  });

  test('begins after the jump where the clock jumps over midnight', () => {
    expect(start('America/Sao_Paulo', '2018-11-04')).toBe('2018-11-04T03:00:00.000Z');
    expect(hours('America/Sao_Paulo', '2018-11-04')).toBe(23);
  });

  test('holds each instant in exactly one day', () => {
    const instant = fc.integer({ min: Date.UTC(1980, 0, 1), max: Date.UTC(2030, 0, 1) });
    fc.assert(
      fc.property(fc.constantFrom(...zones), instant, (zone, instantMs) => {
        const calendar = calendarOf(zone);
        const local = calendar.dayOf(instantMs);
        expect(calendar.dayStartMs(local)).toBeLessThanOrEqual(instantMs);
        expect(calendar.dayStartMs(local + 1)).toBeGreaterThan(instantMs);
      }),
    );
  });

  test('is the local date, away from midnights that come twice', () => {
    const instant = fc.integer({ min: Date.UTC(2012, 0, 1), max: Date.UTC(2030, 0, 1) });
    const zone = fc.constantFrom('Europe/Zurich', 'Europe/London', 'Australia/Lord_Howe', 'America/St_Johns');
    fc.assert(
      fc.property(zone, instant, (timeZone, instantMs) => {
        const date = new Intl.DateTimeFormat('sv-SE', { timeZone }).format(instantMs);
        expect(calendarOf(timeZone).dayOf(instantMs)).toBe(day(date));
      }),
    );
  });
});

describe('a local month', () => {
  test('begins with its first local day', () => {
    const month = monthOfDay(day('2012-02-29'));
    expect(firstDayOfMonth(month)).toBe(day('2012-02-01'));
    expect(firstDayOfMonth(month + 1)).toBe(day('2012-03-01'));
    expect(new Date(calendarOf('Europe/Zurich').monthStartMs(month)).toISOString()).toBe('2012-01-31T23:00:00.000Z');
  });

  test('counts on through the years, before 1970 too', () => {
    expect(monthOfDay(day('1970-01-31'))).toBe(0);
    expect(monthOfDay(day('1969-12-31'))).toBe(-1);
    expect(monthOfDay(day('2012-01-01'))).toBe(42 * 12);
  });
});

test('an unknown time zone is refused by name', () => {
  expect(() => new Calendar('Mars/Olympus')).toThrow(UnknownTimeZoneError);
  expect(() => new Calendar('Mars/Olympus')).toThrow('"Mars/Olympus" is not a time zone');
});
