import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CarriedRounding } from './carried-rounding.ts';

const parts = fc.constantFrom(1, 2, 3, 4, 5, 6, 12, 23, 24, 25, 60, 92, 96, 100, 1_000);
const amounts = fc.array(fc.integer({ min: -(2 ** 52), max: 2 ** 52 }), { minLength: 1, maxLength: 12 });

const roundedAll = (values: readonly number[], count: number): number[] => {
  const rounding = new CarriedRounding(count);
  return values.map((value) => rounding.round(value));
};
const total = (values: readonly number[]): bigint => values.reduce((sum, value) => sum + BigInt(value), 0n);

/** Error diffusion as it is described everywhere: round what is due, carry what that leaves. */
function diffused(values: readonly bigint[], count: bigint): bigint[] {
  let carry = 0n;
  return values.map((value) => {
    const due = value + carry;
    const absolute = due < 0n ? -due : due;
    const rounded = (2n * absolute + count) / (2n * count);
    const given = due < 0n ? -rounded : rounded;
    carry = due - given * count;
    return given;
  });
}

describe('rounding with carry', () => {
  test.each([
    [3, [1, 1, 0, 1]],
    [888_123, [222_031, 222_031, 222_030, 222_031]],
    [20_003, [5_001, 5_001, 5_000, 5_001]],
    [-1_117, [-279, -280, -279, -279]],
    [0, [0, 0, 0, 0]],
    [2, [1, 0, 1, 0]],
  ])('gives %i in four as %j', (integer, shares) => {
    expect(roundedAll(Array<number>(4).fill(integer), 4)).toEqual(shares);
  });

  test('keeps the total where the sign changes: 0.001 an hour, and 1 out of each of its last two quarters', () => {
    expect(roundedAll([1, 1, -3_999, -3_999], 4)).toEqual([0, 1, -1_000, -1_000]);
  });

  test('is error diffusion where every amount needs it, whatever the signs, also beyond 2^53', () => {
    fc.assert(
      fc.property(fc.array(fc.bigInt({ min: -(10n ** 24n), max: 10n ** 24n })), parts, (values, count) => {
        const uneven = values.filter((value) => value % BigInt(count) !== 0n);
        const rounding = new CarriedRounding(count);
        expect(uneven.map((value) => rounding.roundWide(value))).toEqual(diffused(uneven, BigInt(count)));
      }),
    );
  });

  test('adds up to a total that needs no rounding', () => {
    fc.assert(
      fc.property(amounts, parts, (values, count) => {
        const sum = total(values);
        const due = sum % BigInt(count) === 0n ? values : [...values, Number(-sum % BigInt(count))];
        expect(total(roundedAll(due, count)) * BigInt(count)).toBe(total(due));
      }),
    );
  });

  test('leaves alone what needs no rounding, and mirrors negatives', () => {
    fc.assert(
      fc.property(amounts, parts, (values, count) => {
        const rounded = roundedAll(values, count);
        for (const [index, value] of values.entries()) {
          expect(value % count === 0 ? rounded[index] : 0).toBe(value % count === 0 ? value / count + 0 : 0);
        }
        expect(
          roundedAll(
            values.map((value) => 0 - value),
            count,
          ),
        ).toEqual(rounded.map((value) => 0 - value));
      }),
    );
  });

  test('is the same in float64 and beyond, and forgets at a reset', () => {
    fc.assert(
      fc.property(amounts, parts, (values, count) => {
        const [narrow, wide] = [new CarriedRounding(count), new CarriedRounding(count)];
        const first = values.map((value) => narrow.round(value));
        expect(values.map((value) => Number(wide.roundWide(BigInt(value))))).toEqual(first);
        narrow.reset();
        expect(values.map((value) => narrow.round(value))).toEqual(first);
      }),
    );
  });
});
