import { expect, test } from 'vitest';
import { backtestChart, niceTicks, type ChartRow } from './backtest-chart.ts';

const day = (window: string, before: number, after: number): ChartRow => ({
  ...{ channel: 'import', unit: 'kWh', window, before, after },
});

test('a chart has a panel a channel, with both lines, their totals and the days named', () => {
  const days = [day('2024-01-01', 10, 8), day('2024-01-02', 12, 12), { ...day('2024-01-01', 0, -3), channel: 'net' }];
  const svg = backtestChart({ title: 'high-use, version 2', subtitle: '<&>', days, months: [] });
  expect(svg.match(/<polyline/g)).toHaveLength(4);
  expect(svg).toContain('import, kWh a day');
  expect(svg).toContain('22 → 20 (−9.09 %)');
  expect(svg).toContain('net, kWh a day');
  expect(svg).toContain('&lt;&amp;&gt;');
  expect(svg).toContain('>2024-01-02</text>');
  expect(svg).not.toMatch(/NaN|Infinity|undefined/);
});

test('a chart of nothing says so, and one of years is drawn by month', () => {
  const none = backtestChart({ title: '', subtitle: '', days: [], months: [] });
  expect(none).toContain('No interval reading in the span.');
  const days = Array.from({ length: 500 }, (_, index) => day(String(index), 1, 1));
  const months = backtestChart({ title: '', subtitle: '', days, months: [day('2024-01', 31, 30)] });
  expect(months).toContain('import, kWh a month');
  expect(months).not.toMatch(/NaN|Infinity|undefined/);
});

test.each([
  [0, 1, [0, 0.25, 0.5, 0.75, 1]],
  [0, 1140, [0, 500, 1000, 1500]],
  [-3, 0, [-3, -2, -1, 0]],
  [0, 0, [0, 0.25]],
])('round values from %d to %d', (low, high, ticks) => {
  expect(niceTicks(low, high)).toEqual(ticks);
});
