import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { dayMs, hourMs } from '../calendar.ts';
import { readingColumns } from '../testing/index.ts';
import { sumInteger } from '../wide-sum.ts';
import type { Contribution } from './contribution.ts';
import { ContributionSum } from './contribution-sum.ts';
import { MemberContribution } from './member-contribution.ts';
import { roundedContribution } from './rounded-contribution.ts';

const quarters = { startMs: 0, endMs: dayMs, slotMs: hourMs / 4 };

/** A group whose members each gave one reading in the day's first hour, of the length named. */
function groupOf(values: readonly { integer: number; lengthMs: number; startMs?: number }[]): Contribution {
  const sum = new ContributionSum();
  sum.reset(quarters, 'kWh');
  for (const { integer, lengthMs, startMs = 0 } of values) {
    const readings = [{ startMs, lengthMs, integer, decimals: 3, quality: 'measured', unit: 'kWh' }] as const;
    const stretches = [{ fromMs: 0, toMs: dayMs, intervalMs: lengthMs }];
    sum.add(new MemberContribution().of({ ...quarters, unit: 'kWh', stretches }, [readingColumns(readings)]));
  }
  return sum.finish();
}

/** The first slots in thousandths. */
function thousandths({ decimals, sumHigh, sumLow }: Contribution, slots = 4): number[] {
  return Array.from({ length: slots }, (_, slot) =>
    Number(sumInteger(sumHigh[slot] ?? NaN, sumLow[slot] ?? NaN) * 10n ** BigInt(3 - decimals)),
  );
}

const hourly = { decimals: 3, carryMs: hourMs };

describe('rounding a group', () => {
  test.each([
    [3, [1, 1, 0, 1]],
    [888_123, [222_031, 222_031, 222_030, 222_031]],
    [-1_117, [-279, -280, -279, -279]],
  ])('gives an hour of %i back in four quarters', (integer, expected) => {
    expect(thousandths(roundedContribution(groupOf([{ integer, lengthMs: hourMs }]), hourly))).toEqual(expected);
  });

  test('carries on within the hour alone, on what members of both lengths give together', () => {
    const group = groupOf([
      { integer: 20_003, lengthMs: hourMs },
      { integer: 10_000, lengthMs: hourMs / 4 },
      { integer: -1_117, lengthMs: hourMs },
      { integer: 1, lengthMs: hourMs, startMs: hourMs },
    ]);
    expect(thousandths(roundedContribution(group, hourly), 8)).toEqual([14_722, 4_721, 4_722, 4_721, 0, 1, 0, 0]);
  });

  test('leaves alone what the decimals hold', () => {
    const group = groupOf([{ integer: 7, lengthMs: hourMs / 4 }]);
    expect(roundedContribution(group, hourly)).toBe(group);
  });

  test('conserves the hour, of any values, in any order', () => {
    const value = fc.record({
      integer: fc.integer({ min: -9_000_000, max: 9_000_000 }),
      lengthMs: fc.constantFrom(hourMs, hourMs / 4, hourMs / 12),
      startMs: fc.nat(3).map((quarter) => (quarter * hourMs) / 4),
    });
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 12 }), (values) => {
        const given = values.map((each) => (each.lengthMs === hourMs ? { ...each, startMs: 0 } : each));
        const shown = thousandths(roundedContribution(groupOf(given), hourly));
        const total = given.reduce((sum, { integer }) => sum + integer, 0);
        expect(shown.reduce((sum, part) => sum + part, 0)).toBe(total);
        expect(thousandths(roundedContribution(groupOf(given.toReversed()), hourly))).toEqual(shown);
      }),
    );
  });
});
