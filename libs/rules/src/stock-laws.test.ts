import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readProfile } from '../stock/lib/profile.ts';
import { partOf } from '../stock/lib/spread.ts';

function partsOf(total: number, weights: readonly number[], decimals: number): number[] {
  const sum = weights.reduce((before, weight) => before + weight, 0);
  let before = 0;
  return weights.map((weight) => {
    const part = partOf(total, { before, weight, sum }, decimals);
    before += weight;
    return part;
  });
}

const weightLists = fc
  .array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 100 })
  .filter((weights) => weights.some((weight) => weight > 1e-6));

describe('parts of a total', () => {
  test('law: they sum to it exactly, in its decimals', () => {
    fc.assert(
      fc.property(weightLists, fc.integer({ min: 0, max: 1e12 }), fc.nat(6), (weights, integer, decimals) => {
        const scale = 10 ** decimals;
        const integers = partsOf(integer / scale, weights, decimals).map((part) => Math.round(part * scale));
        expect(integers.reduce((sum, part) => sum + part, 0)).toBe(integer);
      }),
    );
  });

  test('law: none is negative, and none is a last digit or more away from what it would be unrounded', () => {
    fc.assert(
      fc.property(weightLists, fc.integer({ min: 0, max: 1e9 }), (weights, integer) => {
        const sum = weights.reduce((before, weight) => before + weight, 0);
        partsOf(integer / 1000, weights, 3).forEach((part, index) => {
          expect(part).toBeGreaterThanOrEqual(0);
          expect(Math.abs(part * 1000 - integer * ((weights[index] as number) / sum))).toBeLessThan(1.001);
        });
      }),
    );
  });
});

describe('a profile', () => {
  test('law: however the day is cut into equal intervals, they sum to the day', () => {
    const rows = fc.array(fc.nat(1000), { minLength: 24, maxLength: 24 });
    fc.assert(
      fc.property(rows, fc.constantFrom(5, 15, 30, 60, 240), (weights, minutes) => {
        const profile = readProfile(weights.join('\n'), 1, 'workday');
        const parts = Array.from({ length: 1440 / minutes }, (_, index) => profile.weight(index * minutes, minutes));
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        expect(parts.reduce((sum, part) => sum + part, 0)).toBeCloseTo(total, 6);
      }),
    );
  });

  test('a table that is none says what is missing', () => {
    expect(() => readProfile('', 1, 'workday')).toThrow(/column of numbers for month 1 and a workday/);
    expect(() => readProfile('SA\n1', 1, 'workday')).toThrow(/column of numbers/);
  });
});
