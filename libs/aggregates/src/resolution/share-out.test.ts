import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { share, shareOut, wideShare } from './share-out.ts';

const whole = fc.integer({ min: -(2 ** 52), max: 2 ** 52 });
const parts = fc.constantFrom(1, 2, 3, 4, 5, 6, 12, 23, 24, 25, 60, 92, 96, 100, 1_000);

/** Error diffusion as it is described everywhere: round what is due, carry what that leaves. Exact, in parts of a part. */
function diffused(integer: bigint, count: bigint): bigint[] {
  let carry = 0n;
  return Array.from({ length: Number(count) }, () => {
    const due = integer + carry;
    const absolute = due < 0n ? -due : due;
    const rounded = (2n * absolute + count) / (2n * count);
    const given = due < 0n ? -rounded : rounded;
    carry = due - given * count;
    return given;
  });
}

describe('sharing out', () => {
  test.each([
    [3, [1, 1, 0, 1]],
    [888_123, [222_031, 222_031, 222_030, 222_031]],
    [20_003, [5_001, 5_001, 5_000, 5_001]],
    [-1_117, [-279, -280, -279, -279]],
    [0, [0, 0, 0, 0]],
    [2, [1, 0, 1, 0]],
  ])('%i in four is %j', (integer, shares) => {
    expect(shareOut(integer, 4)).toEqual(shares);
  });

  test('gives the whole exactly, whatever the parts', () => {
    fc.assert(
      fc.property(whole, parts, (integer, count) => {
        const sum = shareOut(integer, count).reduce((total, value) => total + BigInt(value), 0n);
        expect(sum).toBe(BigInt(integer));
      }),
    );
  });

  test('differs from an equal part by less than one of the last decimal', () => {
    fc.assert(
      fc.property(whole, parts, (integer, count) => {
        for (const value of shareOut(integer, count)) {
          const off = BigInt(value) * BigInt(count) - BigInt(integer);
          expect(off < BigInt(count) && off > -BigInt(count)).toBe(true);
        }
      }),
    );
  });

  test('mirrors negatives', () => {
    fc.assert(
      fc.property(whole, parts, (integer, count) => {
        expect(shareOut(-integer, count)).toEqual(shareOut(integer, count).map((value) => 0 - value));
      }),
    );
  });

  test('is error diffusion, share by share, also of wholes beyond 2^53', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 24n), max: 10n ** 24n }), parts, (integer, count) => {
        const expected = diffused(integer, BigInt(count));
        expect(expected.map((_, index) => wideShare(integer, count, index))).toEqual(expected);
        if (integer < 2n ** 53n && integer > -(2n ** 53n)) {
          expect(expected.map((_, index) => BigInt(share(Number(integer), count, index)))).toEqual(expected);
        }
      }),
    );
  });
});
