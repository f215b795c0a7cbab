import { formatSum, hourMs, type AggregateBatch, type AggregatesStored } from '@meterflow/aggregates';
import { decodeAggregateBatch, encodeAggregatesStored } from '@meterflow/contracts';
import { describe, expect, test } from 'vitest';
import { aggregationStage } from './aggregation-stage.ts';
import { monthStage } from './month-stage.ts';
import { utcZones } from './series-zones.ts';
import {
  countingReadings,
  countingTickets,
  MemoryAggregates,
  nothingClosed,
  type Calls,
} from './testing/memory-stores.ts';
import { causeOf, keyOf, notice, touchedSpans, type TouchedSpan } from './testing/notices.ts';

const march: TouchedSpan = { meter: 'a', fromMs: Date.parse('2019-03-01'), toMs: Date.parse('2019-04-01') };

function stored(number: number, spans: readonly TouchedSpan[], level: 'day' | 'month' = 'day'): AggregatesStored {
  return { tenant: 'default', level, key: keyOf(number), causes: [causeOf(number)], touched: touchedSpans(spans) };
}

async function marchInStore(calls: Calls): Promise<MemoryAggregates> {
  const aggregates = new MemoryAggregates(calls);
  const readings = countingReadings(calls, hourMs);
  const stage = aggregationStage({ tickets: countingTickets(calls), readings, zones: utcZones }, { lane: 'live' });
  const notices = [notice(1, [march])];
  const { messages } = await stage.handle(notices, await stage.read(notices));
  messages.forEach(({ payload }) => {
    aggregates.put(decodeAggregateBatch(payload));
  });
  return aggregates;
}

async function months(inputs: readonly AggregatesStored[], calls: Calls): Promise<readonly AggregateBatch[]> {
  const aggregates = await marchInStore([]);
  const kept = Object.assign(aggregates, { calls });
  const ports = { tickets: countingTickets(calls), aggregates: kept, zones: utcZones, closedDays: nothingClosed };
  const stage = monthStage(ports, { lane: 'live' });
  const { messages } = await stage.handle(inputs, await stage.read(inputs));
  return messages
    .filter(({ topic }) => topic === 'aggregates.live')
    .map(({ payload }) => decodeAggregateBatch(payload));
}

describe('months', () => {
  test('are computed from all stored days, the ticket taken first', async () => {
    const calls: Calls = [];
    const day = { ...march, toMs: march.fromMs + 24 * hourMs };
    const [batch] = await months([stored(1, [day])], calls);
    expect(calls).toEqual(['ticket default', 'sheets default a day']);
    expect(batch).toMatchObject({ level: 'month', ticket: 1, causes: [causeOf(1)] });
    expect(batch?.sheets).toMatchObject({ startMs: Float64Array.of(march.fromMs), endMs: Float64Array.of(march.toMs) });
    const [first, count] = [march.fromMs / hourMs, 31 * 24];
    expect(batch?.rows.count).toEqual(Uint32Array.of(count));
    expect(formatSum(batch!.rows.sumHigh[0]!, batch!.rows.sumLow[0]!, 0)).toBe(
      `${count * first + (count * (count - 1)) / 2}`,
    );
  });

  test('touched by several notices are computed once', async () => {
    const calls: Calls = [];
    const days = [0, 1, 2].map((day) => ({
      meter: 'a',
      fromMs: march.fromMs + day * 24 * hourMs,
      toMs: march.fromMs + (day + 1) * 24 * hourMs,
    }));
    const found = await months(
      days.map((day, number) => stored(number, [day])),
      calls,
    );
    expect(found.map(({ causes, sheets }) => [causes.length, sheets.rows.length])).toEqual([[3, 1]]);
    expect(calls).toHaveLength(2);
  });

  test('have no parents', async () => {
    const calls: Calls = [];
    expect(await months([stored(1, [march], 'month')], calls)).toEqual([]);
    expect(calls).toEqual([]);
  });

  test('are what no longer comes when their notice is a dead letter', () => {
    const stage = monthStage(
      {
        ...{ tickets: countingTickets([]), aggregates: new MemoryAggregates([]), zones: utcZones },
        closedDays: nothingClosed,
      },
      { lane: 'bulk' },
    );
    const payload = encodeAggregatesStored(stored(9, [march]));
    const input = stage.decode({ id: '1', payload, attributes: {}, publishedAtMs: 0, deliveryAttempt: 1 });
    expect(stage.key(input)).toBe(`default/${keyOf(9)}`);
    expect(stage.origin(input)).toEqual({ tenant: 'default', causes: [causeOf(9)], layers: ['month'] });
  });
});
