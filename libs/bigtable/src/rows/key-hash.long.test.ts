import { expect, test } from 'vitest';
import { hashSpread } from '../testing/hash-spread.ts';

test('keys of ten million meters spread evenly over the table', { timeout: 300_000 }, () => {
  const spread = hashSpread(10_000_000, (index) => `meter-${String(index).padStart(8, '0')}`);
  expect(spread.chiSquaredPerHash).toBeGreaterThan(0.97);
  expect(spread.chiSquaredPerHash).toBeLessThan(1.03);
  expect(spread.busiestTablet).toBeLessThan(1.02);
});
