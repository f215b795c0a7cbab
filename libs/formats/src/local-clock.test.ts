import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LocalClock, type FoldProgress } from './local-clock.ts';

const quarterMs = 900_000;
const fresh = (): FoldProgress => ({ foldLocalMs: 0, foldDescends: false, foldPass: 0 });

/** What a zone's clocks show, told by another of Intl's ways: a Swedish date and time. */
function shownMs(zone: string, instantMs: number): number {
  return Date.parse(`${new Date(instantMs).toLocaleString('sv-SE', { timeZone: zone }).replace(' ', 'T')}Z`);
}

/** Local stamps, in order, as instants. */
function instants(zone: string, stamps: readonly string[], lengthMs: number): string[] {
  const clock = new LocalClock(zone);
  const progress = fresh();
  return stamps.map((stamp) => {
    const ms = clock.instantMs(Date.parse(`${stamp}Z`), progress, lengthMs);
    return Number.isNaN(ms) ? 'none' : new Date(ms).toISOString().replace(':00.000Z', 'Z');
  });
}

const zones = [
  'Europe/Zurich',
  'Europe/London',
  'America/New_York',
  'Australia/Lord_Howe',
  'America/Santiago',
  'Asia/Kolkata',
  'Africa/Casablanca',
  'Atlantic/Azores',
  'Pacific/Apia',
  'UTC',
];

describe('local times', () => {
  test('in winter and in summer have the zone’s offset', () => {
    expect(instants('Europe/Zurich', ['2024-01-01T00:00:00', '2024-07-01T00:00:00'], quarterMs)).toEqual([
      '2023-12-31T23:00Z',
      '2024-06-30T22:00Z',
    ]);
  });

  test('that the clocks skip are none', () => {
    const stamps = ['2024-03-31T01:45:00', '2024-03-31T02:00:00', '2024-03-31T02:45:00', '2024-03-31T03:00:00'];
    expect(instants('Europe/Zurich', stamps, quarterMs)).toEqual([
      '2024-03-31T00:45Z',
      'none',
      'none',
      '2024-03-31T01:00Z',
    ]);
  });

  test('that the clocks show twice are first the first hour, then, once they go back, the second', () => {
    const stamps = ['01:45', '02:00', '02:15', '02:30', '02:45', '02:00', '02:15', '02:30', '02:45', '03:00'];
    expect(
      instants(
        'Europe/Zurich',
        stamps.map((stamp) => `2024-10-27T${stamp}:00`),
        quarterMs,
      ),
    ).toEqual([
      '2024-10-26T23:45Z',
      ...['00:00', '00:15', '00:30', '00:45', '01:00', '01:15', '01:30', '01:45', '02:00'].map(
        (time) => `2024-10-27T${time}Z`,
      ),
    ]);
  });

  test('hourly readings fill the repeated hour with one each', () => {
    const stamps = ['2024-10-27T01:00:00', '2024-10-27T02:00:00', '2024-10-27T02:00:00', '2024-10-27T03:00:00'];
    expect(instants('Europe/Zurich', stamps, 3_600_000)).toEqual([
      '2024-10-26T23:00Z',
      '2024-10-27T00:00Z',
      '2024-10-27T01:00Z',
      '2024-10-27T02:00Z',
    ]);
  });

  test('with the latest first, the second of the two hours comes before the first', () => {
    const day = '2024-10-27T';
    const quarters = ['03:00', '02:45', '02:30', '02:15', '02:00', '02:45', '02:30', '02:15', '02:00', '01:45'];
    const stamps = quarters.map((time) => `${day}${time}:00`);
    expect(instants('Europe/Zurich', stamps, quarterMs)).toEqual([
      ...['02:00', '01:45', '01:30', '01:15', '01:00', '00:45', '00:30', '00:15', '00:00'].map((t) => `${day}${t}Z`),
      '2024-10-26T23:45Z',
    ]);
    const hours = ['03:00', '02:00', '02:00', '01:00'].map((time) => `${day}${time}:00`);
    expect(instants('Europe/Zurich', hours, 3_600_000)).toEqual([
      ...['02:00', '01:00', '00:00'].map((time) => `${day}${time}Z`),
      '2024-10-26T23:00Z',
    ]);
  });

  test('a row sent twice in the repeated hour is a repetition, not the second hour', () => {
    const stamps = ['2024-10-27T02:00:00', '2024-10-27T02:00:00', '2024-10-27T02:15:00'];
    expect(instants('Europe/Zurich', stamps, quarterMs)).toEqual([
      '2024-10-27T00:00Z',
      '2024-10-27T00:00Z',
      '2024-10-27T00:15Z',
    ]);
  });

  test('a file that covers only the second hour of one day does not disturb another year', () => {
    const stamps = ['2023-10-29T02:45:00', '2023-10-29T02:00:00', '2024-10-27T02:00:00'];
    expect(instants('Europe/Zurich', stamps, quarterMs)).toEqual([
      '2023-10-29T00:45Z',
      '2023-10-29T01:00Z',
      '2024-10-27T00:00Z',
    ]);
  });

  test('shown in order by any zone, a series of quarter hours comes back as it was', () => {
    fc.assert(
      fc.property(fc.constantFrom(...zones), fc.integer({ min: 0, max: 364 * 40 }), (zone, day) => {
        const clock = new LocalClock(zone);
        const progress = fresh();
        const startMs = Date.UTC(1985, 0, 1) + day * 86_400_000;
        for (let slot = 0; slot < 2 * 96; slot++) {
          const instantMs = startMs + slot * quarterMs;
          expect(clock.offsetMsAt(instantMs)).toBe(shownMs(zone, instantMs) - instantMs);
          expect(clock.instantMs(shownMs(zone, instantMs), progress, quarterMs)).toBe(instantMs);
        }
      }),
      { numRuns: 20 },
    );
  });

  test.each(['Europe/Zurich', 'America/Santiago', 'Australia/Lord_Howe', 'Africa/Casablanca'])(
    'the same holds through all of a year in %s',
    (zone) => {
      const clock = new LocalClock(zone);
      const progress = fresh();
      for (let instantMs = Date.UTC(2023, 0, 1); instantMs < Date.UTC(2024, 0, 1); instantMs += quarterMs) {
        const localMs = instantMs + clock.offsetMsAt(instantMs);
        if (clock.instantMs(localMs, progress, quarterMs) !== instantMs) {
          expect(new Date(clock.instantMs(localMs, progress, quarterMs)).toISOString()).toBe(
            new Date(instantMs).toISOString(),
          );
        }
      }
    },
  );

  test.each(['Europe/Zurich', 'America/New_York', 'Australia/Lord_Howe', 'Africa/Casablanca'])(
    'and with the latest first in %s',
    (zone) => {
      const clock = new LocalClock(zone);
      const progress = fresh();
      const wrong: string[] = [];
      for (let instantMs = Date.UTC(2024, 0, 1); instantMs > Date.UTC(2023, 0, 1); instantMs -= quarterMs) {
        if (clock.instantMs(instantMs + clock.offsetMsAt(instantMs), progress, quarterMs) !== instantMs) {
          wrong.push(new Date(instantMs).toISOString());
        }
      }
      expect(wrong).toEqual([]);
    },
  );
});
