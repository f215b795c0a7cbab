import { formatDecimal } from '@meterflow/readings';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decimalText } from './reading-lines.ts';

test('values are written as formatDecimal writes them', () => {
  fc.assert(
    fc.property(fc.maxSafeInteger(), fc.integer({ min: 0, max: 9 }), (integer, decimals) => {
      expect(decimalText(integer, decimals)).toBe(formatDecimal(integer, decimals));
    }),
  );
  expect([decimalText(0, 3), decimalText(-1_200, 3), decimalText(5, 9)]).toEqual(['0', '-1.2', '0.000000005']);
});
