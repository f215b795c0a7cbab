import { describe, expect, test } from 'vitest';
import { hashSpread } from '../testing/hash-spread.ts';
import { hashedKey, under } from './key-hash.ts';
import { parseSeriesKey, seriesPrefix, withDay } from './series-key.ts';

describe('keys', () => {
  test.each([
    ['numbered meters', (index: number) => `meter-${String(index).padStart(8, '0')}`],
    ['serial numbers of one maker', (index: number) => `1ESY11${61_000_000 + index * 7}`],
    ['metering points of a grid operator', (index: number) => `CH100${String(index).padStart(28, '0')}`],
  ])('of %s spread evenly over the table', (_, meterOf) => {
    // A sample: 200,000 of 10,000,000 meters, every fiftieth. All of them: key-hash.long.test.ts.
    const spread = hashSpread(200_000, (index) => meterOf(index * 50));
    expect(spread.chiSquaredPerHash).toBeGreaterThan(0.9);
    expect(spread.chiSquaredPerHash).toBeLessThan(1.1);
    expect(spread.busiestTablet).toBeLessThan(1.05);
  });

  test('say what they are of', () => {
    const series = { tenant: 'acme', meter: 'Zähler 1/ü', channel: 'import' };
    const key = withDay(seriesPrefix(series), 19_000);
    expect(parseSeriesKey(key)?.series).toEqual(series);
    expect(parseSeriesKey(hashedKey('acme', 'Zähler 1/ü'))).toBeUndefined();
  });

  test('of a meter’s channels lie together, behind the meter’s own row', () => {
    const { from, to } = under(hashedKey('acme', 'm1'));
    for (const channel of ['export', 'import']) {
      const key = withDay(seriesPrefix({ tenant: 'acme', meter: 'm1', channel }), 1);
      expect([from.compare(key) < 0, key.compare(to) < 0]).toEqual([true, true]);
    }
    const other = seriesPrefix({ tenant: 'acme', meter: 'm10', channel: 'import' });
    expect(from.compare(other) < 0 && other.compare(to) < 0).toBe(false);
  });
});
