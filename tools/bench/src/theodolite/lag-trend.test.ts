import { describe, expect, test } from 'vitest';
import { lagTrend } from './lag-trend.ts';

describe('the trend of the lag', () => {
  test('is what a steady growth grows by', () => {
    expect(lagTrend([0, 1, 2, 3].map((seconds) => ({ seconds, records: 500 + 2_000 * seconds })))).toBeCloseTo(2_000);
  });

  test('is nothing where the lag stays as it is, however large, and of a single look', () => {
    expect(lagTrend([0, 1, 2].map((seconds) => ({ seconds, records: 90_000 })))).toBe(0);
    expect(lagTrend([{ seconds: 0, records: 90_000 }])).toBe(0);
  });

  test('is hardly moved by ups and downs around a level', () => {
    const seen = Array.from({ length: 40 }, (_, seconds) => ({ seconds, records: seconds % 2 === 0 ? 0 : 10_000 }));
    expect(Math.abs(lagTrend(seen))).toBeLessThan(100);
  });
});
