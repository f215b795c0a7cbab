import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  canonicalDecimals,
  compareDecimals,
  ExactSum,
  formatDecimal,
  integerMax,
  InvalidReadingError,
  parseDecimal,
  roundHalfEven,
} from './index.ts';

const exact = fc.record({ integer: fc.maxSafeInteger(), decimals: fc.integer({ min: 0, max: 9 }) });
const scaled = ({ integer, decimals }: { integer: number; decimals: number }): bigint =>
  BigInt(integer) * 10n ** BigInt(9 - decimals);

describe('parseDecimal', () => {
  test.each([
    ['0.03', 3, 2],
    ['-1.250', -125, 2],
    ['.5', 5, 1],
    ['7.', 7, 0],
    ['+12', 12, 0],
    ['1e3', 1000, 0],
    ['25e-3', 25, 3],
    ['0.0000000000', 0, 0],
    ['-0', 0, 0],
    ['9007199254740991', integerMax, 0],
    ['100', 100, 0],
  ])('reads %s exactly', (text, integer, decimals) => {
    expect(parseDecimal(text)).toEqual({ integer, decimals });
  });

  test.each([
    '',
    ' ',
    '.',
    '-',
    'Null',
    'NaN',
    'Infinity',
    '1,5',
    '1 0',
    '0x10',
    '1e',
    '--1',
    '9007199254740993',
    '1e22',
    '0.0000000001',
    '1'.repeat(65),
  ])('refuses %j', (text) => {
    expect(() => parseDecimal(text)).toThrow(InvalidReadingError);
  });

  test('reads back what formatDecimal writes', () => {
    fc.assert(
      fc.property(exact, (value) => {
        const text = formatDecimal(value.integer, value.decimals);
        expect(scaled(parseDecimal(text))).toBe(scaled(value));
        expect(text).not.toMatch(/^-0$|\.$|\.\d*0$/);
      }),
    );
  });
});

test('compareDecimals orders as exact numbers do, whatever the decimals', () => {
  fc.assert(
    fc.property(exact, exact, (a, b) => {
      const difference = scaled(a) - scaled(b);
      const sign = difference < 0n ? -1 : difference > 0n ? 1 : 0;
      expect(Math.sign(compareDecimals(a.integer, a.decimals, b.integer, b.decimals))).toBe(sign);
    }),
  );
});

test('canonicalDecimals is the smallest count that holds all values', () => {
  expect(canonicalDecimals(Float64Array.of(1200, 30, 0, -400), 3)).toBe(2);
  expect(canonicalDecimals(Float64Array.of(0, 0), 6)).toBe(0);
  expect(canonicalDecimals(Float64Array.of(1, 1000), 3)).toBe(3);
});

test('ExactSum equals a BigInt sum for any values and decimals', () => {
  fc.assert(
    fc.property(fc.array(exact, { maxLength: 50 }), (values) => {
      const sum = new ExactSum();
      values.forEach(({ integer, decimals }) => {
        sum.add(integer, decimals);
      });
      const expected = values.reduce((total, value) => total + scaled(value), 0n);
      expect(sum.integer * 10n ** BigInt(9 - sum.decimals)).toBe(expected);
    }),
  );
});

test('roundHalfEven takes ties to the even neighbour and refuses what 2^53 does not hold', () => {
  expect([0.5, 1.5, 2.5, -0.5, -1.5, 2.4, -2.6].map((value) => roundHalfEven(value, 0))).toEqual([
    0, 2, 2, 0, -2, 2, -3,
  ]);
  expect(roundHalfEven(0.1 + 0.2, 6)).toBe(300_000);
  expect(roundHalfEven(1e16, 0)).toBeUndefined();
  expect(roundHalfEven(Number.NaN, 3)).toBeUndefined();
  expect(roundHalfEven(Number.POSITIVE_INFINITY, 3)).toBeUndefined();
});
