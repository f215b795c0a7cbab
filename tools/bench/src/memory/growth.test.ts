import { expect, test } from 'vitest';
import { growthOf, memoryReport } from './growth.ts';

const mb = 1024 ** 2;

test('what has more memory the more series there are grows; heaps that differ by chance do not', () => {
  const measured = [
    {
      series: 10_000,
      ownBytes: new Map(Object.entries({ ingest: 90 * mb, control: 100 * mb, persistence: 120 * mb })),
    },
    {
      series: 1_000_000,
      ownBytes: new Map(Object.entries({ ingest: 300 * mb, control: 140 * mb, persistence: 90 * mb })),
    },
  ].map((each) => ({ ...each, loadingBytes: each.ownBytes }));
  const growth = growthOf(measured);
  expect(growth.map(({ process, isFlat }) => [process, isFlat])).toEqual([
    ['ingest', false],
    ['control', true],
    ['persistence', true],
  ]);
  expect(growth[0]?.bytesPerSeries).toBeCloseTo((210 * mb) / 990_000, 0);
  expect(memoryReport(measured, growth)).toMatch(/ingest .*222\.4\ncontrol .*flat/);
});
