import { AggregateBatchBuilder, calendarOf, completeReasons, dayMs, DaySheets, hourMs } from '@meterflow/aggregates';
import { readingColumns } from '@meterflow/aggregates/testing';
import { decodeWindowsComplete } from '@meterflow/contracts';
import { ClosedDaysRegistry } from '@meterflow/registry';
import { MemoryRegistry } from '@meterflow/registry/testing';
import type { OutgoingMessage } from '@meterflow/stage';
import { beforeEach, expect, test } from 'vitest';
import { daysClosedStage } from './days-closed-stage.ts';
import { monthStage } from './month-stage.ts';
import type { SeriesZones } from './series-zones.ts';
import { countingTickets, MemoryAggregates } from './testing/memory-stores.ts';
import { causeOf, keyOf, notice, touchedSpans, type TouchedSpan } from './testing/notices.ts';

const firstMs = Date.UTC(2024, 5, 1);
const zones: SeriesZones = {
  snapshotOf: () =>
    Promise.resolve({ of: () => ({ timeZone: 'UTC', intervals: [{ fromMs: 0, intervalMs: hourMs }] }) }),
};

let aggregates: MemoryAggregates;
let closedDays: ClosedDaysRegistry;

beforeEach(() => {
  aggregates = new MemoryAggregates([]);
  closedDays = new ClosedDaysRegistry(new MemoryRegistry());
});

/** Stores of a day of June so many of its hours. */
function store(meter: string, day: number, { hours, ticket }: { hours: number; ticket: number }): void {
  const builder = new AggregateBatchBuilder();
  const [calendar, startMs] = [calendarOf('UTC'), firstMs + day * dayMs];
  const firstDay = calendar.dayOf(startMs);
  const request = { series: builder.series(meter, 'import'), calendar, firstDay, endDay: firstDay + 1 };
  const readings = Array.from({ length: hours }, (_, hour) => ({
    ...{ startMs: startMs + hour * hourMs, lengthMs: hourMs, integer: 1, decimals: 0 },
    ...({ quality: 'measured', unit: 'kWh' } as const),
  }));
  new DaySheets().append(builder, request, [readingColumns(readings)]);
  aggregates.put(builder.finish({ tenant: 'default', level: 'day', ticket, causes: [] }));
}

const days = (meter: string, from: number, to: number): TouchedSpan => ({
  ...{ meter, fromMs: firstMs + from * dayMs, toMs: firstMs + to * dayMs },
});

/** What is told when these days were stored. */
async function stored(spans: readonly TouchedSpan[], number = 1): Promise<readonly string[]> {
  const stage = monthStage({ tickets: countingTickets([]), aggregates, zones, closedDays }, { lane: 'live' });
  const causes = [causeOf(number)];
  const input = { tenant: 'default', level: 'day', key: keyOf(number), causes, touched: touchedSpans(spans) } as const;
  const { messages, messagesOf } = await stage.handle([input], await stage.read([input]));
  expect(messagesOf).toHaveLength(messages.length);
  return shown(messages.filter(({ topic }) => topic === 'windows.complete.live'));
}

/** What is told when they were closed. */
async function closed(spans: readonly TouchedSpan[]): Promise<readonly string[]> {
  const stage = daysClosedStage({ aggregates, zones, closedDays }, { lane: 'bulk' });
  const inputs = [{ ...notice(1, spans), causes: [] }];
  const { messages, writes } = await stage.handle(inputs, await stage.read(inputs));
  expect(writes).toEqual([]);
  expect(messages.every(({ topic }) => topic === 'windows.complete.bulk')).toBe(true);
  return shown(messages);
}

function shown(messages: readonly OutgoingMessage[]): readonly string[] {
  return messages.flatMap(({ payload, attributes }) => {
    const complete = decodeWindowsComplete(payload);
    expect([complete.tenant, attributes['tenant']]).toEqual(['default', 'default']);
    return Array.from(complete.index, (index, row) => {
      const day = (complete.startMs[row]! - firstMs) / dayMs;
      const reason = completeReasons[complete.reason[row]!];
      const counts = `${complete.count[row]}/${complete.expected[row]}`;
      return `${complete.series[index]!.meter} ${day} ${reason} ${counts} at ${complete.ticket[row]}`;
    });
  });
}

test('a day is told when the last of its readings is stored, and no other day', async () => {
  store('a', 0, { hours: 24, ticket: 3 });
  store('a', 1, { hours: 23, ticket: 4 });
  store('a', 2, { hours: 24, ticket: 5 });
  expect(await stored([days('a', 0, 2)])).toEqual(['a 0 whole 24/24 at 3']);
  store('a', 1, { hours: 24, ticket: 9 });
  expect(await stored([days('a', 1, 2)])).toEqual(['a 1 whole 24/24 at 9']);
});

test('a correction of a complete day is told again, under the higher ticket', async () => {
  store('a', 0, { hours: 24, ticket: 3 });
  await stored([days('a', 0, 1)]);
  store('a', 0, { hours: 24, ticket: 12 });
  expect(await stored([days('a', 0, 1)])).toEqual(['a 0 whole 24/24 at 12']);
});

test('closed days are told with what is stored of them, also where nothing is', async () => {
  store('a', 0, { hours: 24, ticket: 3 });
  store('a', 1, { hours: 20, ticket: 4 });
  await closedDays.raise('default', 'UTC', { closedThroughMs: firstMs + 3 * dayMs });
  expect(await closed([days('a', 0, 3), days('silent', 2, 3)])).toEqual([
    'a 0 whole 24/24 at 3',
    'a 1 closed 20/24 at 4',
    'a 2 closed 0/24 at 0',
    'silent 2 closed 0/24 at 0',
  ]);
});

test('what comes for a day that is closed and still lacks readings is told as well', async () => {
  store('a', 1, { hours: 20, ticket: 4 });
  expect(await stored([days('a', 1, 2)])).toEqual([]);
  await closedDays.raise('default', 'UTC', { closedThroughMs: firstMs + 2 * dayMs });
  store('a', 1, { hours: 22, ticket: 8 });
  expect(await stored([days('a', 1, 2)])).toEqual(['a 1 closed 22/24 at 8']);
});

test('of a series that nobody knew when days were closed, those of which nothing came are told with those that came', async () => {
  await closedDays.raise('default', 'UTC', { closedThroughMs: firstMs + 6 * dayMs });
  store('a', 1, { hours: 24, ticket: 4 });
  expect(await stored([days('a', 1, 2)])).toEqual([
    'a 1 whole 24/24 at 4',
    ...[2, 3, 4, 5].map((day) => `a ${day} closed 0/24 at 0`),
  ]);
  // Also in the other order: what lies before is first known by what comes later.
  store('b', 4, { hours: 24, ticket: 5 });
  expect(await stored([days('b', 4, 5)])).toEqual(['b 4 whole 24/24 at 5', 'b 5 closed 0/24 at 0']);
  store('b', 2, { hours: 1, ticket: 6 });
  expect(await stored([days('b', 2, 3)])).toEqual(['b 2 closed 1/24 at 6', 'b 3 closed 0/24 at 0']);
});

test('days that are not closed, groups, registers, and what is over for more than two months, are not told so', async () => {
  store('a', 1, { hours: 24, ticket: 4 });
  store('group:g', 1, { hours: 24, ticket: 4 });
  expect(await stored([days('a', 1, 2)])).toEqual(['a 1 whole 24/24 at 4']);
  await closedDays.raise('default', 'UTC', { closedThroughMs: firstMs + 4 * dayMs });
  expect(await stored([days('group:g', 1, 2)])).toEqual(['group:g 1 whole 24/24 at 4']);
  await closedDays.raise('default', 'UTC', { closedThroughMs: firstMs + 64 * dayMs });
  expect(await stored([days('a', 1, 2)])).toEqual(['a 1 whole 24/24 at 4']);
});

test('days that follow many series are told in as many messages as they need', async () => {
  await closedDays.raise('default', 'UTC', { closedThroughMs: firstMs + 61 * dayMs });
  const meters = Array.from({ length: 100 }, (_, index) => `m${index}`);
  meters.forEach((meter) => {
    store(meter, 0, { hours: 24, ticket: 4 });
  });
  const told = await stored(meters.map((meter) => days(meter, 0, 1)));
  expect(told.filter((line) => line.includes('closed 0/'))).toHaveLength(100 * 60);
});

test('how far days are closed is read after the notice came: a closing meanwhile loses nothing', async () => {
  store('a', 1, { hours: 22, ticket: 8 });
  const order: string[] = [];
  const read = aggregates.read;
  const stage = monthStage(
    {
      ...{ tickets: countingTickets([]), zones },
      aggregates: { write: aggregates.write, read: (sheets) => (order.push('sheets'), read(sheets)) },
      closedDays: { of: (...asked) => (order.push('closed'), closedDays.of(...asked)) },
    },
    { lane: 'live' },
  );
  const touched = touchedSpans([days('a', 1, 2)]);
  await stage.read([{ tenant: 'default', level: 'day', key: keyOf(1), causes: [], touched }]);
  expect(order.toSorted()).toEqual(['closed', 'sheets']);
});
