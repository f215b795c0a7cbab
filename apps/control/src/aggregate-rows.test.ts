import { AggregateBatchBuilder, AggregateRow, dayMs, wholeWindow, type AggregateBatch } from '@meterflow/aggregates';
import { expect, test } from 'vitest';
import { aggregateRows } from './aggregate-rows.ts';

const endMs = Date.UTC(2024, 0, 2);

function dayOf(count: number, expected: number, surplus = 0): AggregateBatch {
  const builder = new AggregateBatchBuilder();
  const series = builder.series('m1', 'import');
  builder.begin({ series, startMs: endMs - dayMs, endMs, unit: builder.text('kWh'), decimals: 2 });
  builder.append(Object.assign(new AggregateRow(), { hour: wholeWindow, count, expected, surplus, peakOffsetMs: 0 }));
  return builder.finish({ tenant: 'acme', level: 'day', ticket: 1, causes: [] });
}

test('a day in which nothing is summed says how much surplus it has, and no values', async () => {
  const aggregates = { read: () => Promise.resolve(dayOf(0, 0, 5)) };
  const asked = { tenant: 'acme', meter: 'm1', channel: 'import', resolution: 'day', fromMs: 0, toMs: endMs } as const;
  const [row] = await aggregateRows(aggregates, { ...asked, nowMs: endMs });
  expect(row?.json).toMatchObject({ sum: null, min: null, max: null, mean: null, count: 0, surplus: 5, state: 'open' });
  expect(row?.json).not.toHaveProperty('peakAt');
});

async function stateAt(nowMs: number, batch: AggregateBatch): Promise<unknown> {
  const aggregates = { read: () => Promise.resolve(batch) };
  const asked = { tenant: 'acme', meter: 'm1', channel: 'import', resolution: 'day', fromMs: 0, toMs: endMs } as const;
  const [row] = await aggregateRows(aggregates, { ...asked, nowMs });
  return (row?.json as { state?: unknown }).state;
}

test('a window is open while readings are missing, complete when none is, and final a day after its end', async () => {
  expect(await stateAt(endMs, dayOf(95, 96))).toBe('open');
  expect(await stateAt(endMs, dayOf(96, 96))).toBe('complete');
  expect(await stateAt(endMs + dayMs - 1, dayOf(95, 96))).toBe('open');
  expect(await stateAt(endMs + dayMs, dayOf(95, 96))).toBe('final');
  expect(await stateAt(endMs + dayMs, dayOf(96, 96))).toBe('final');
});
