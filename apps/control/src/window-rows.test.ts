import { AggregateBatchBuilder, calendarOf, dayMs, DaySheets, hourMs } from '@meterflow/aggregates';
import { readingColumns, type WrittenReading } from '@meterflow/aggregates/testing';
import type { AggregateStore, ReadingStore } from '@meterflow/idempotent-writes';
import { Groups, RegisterCalendars, SeriesRegistry } from '@meterflow/registry';
import { MemoryRegistry } from '@meterflow/registry/memory';
import { expect, test } from 'vitest';
import { windowResolution, windowRows, type WindowRowsAsked } from './window-rows.ts';

const timeZone = 'Europe/Zurich';
const quarterMs = hourMs / 4;
const reading = (startMs: number, lengthMs: number, integer: number): WrittenReading => ({
  ...{ startMs, lengthMs, integer, decimals: 3, quality: 'measured', unit: 'kWh' },
});

/** Rows of a series with these readings, by resolution and span. */
async function world(readings: readonly WrittenReading[], intervalMs: number) {
  const registry = new MemoryRegistry();
  const ports = { registry, nowMs: () => 0, cacheMs: -1 };
  const series = new SeriesRegistry(ports);
  await series.set('acme', { meter: 'm', channel: 'import' }, { timeZone, intervalMs });
  const store: Pick<ReadingStore, 'read'> = {
    read: ({ fromMs, toMs }) => {
      const days = new Map<number, WrittenReading[]>();
      readings.forEach((each) => {
        const day = Math.floor(each.startMs / dayMs);
        days.set(day, [...(days.get(day) ?? []), each]);
      });
      const found = [...days].filter(([day]) => (day + 1) * dayMs > fromMs && day * dayMs < toMs);
      return Promise.resolve(found.map(([day, own]) => ({ day, columns: readingColumns(own) })));
    },
  };
  const aggregates: Pick<AggregateStore, 'read'> = {
    read: ({ fromMs, toMs }) => {
      const builder = new AggregateBatchBuilder();
      const calendar = calendarOf(timeZone);
      const request = {
        series: builder.series('m', 'import'),
        calendar,
        firstDay: calendar.dayOf(fromMs),
        endDay: calendar.dayOf(toMs),
      };
      new DaySheets().append(builder, request, [readingColumns(readings)]);
      return Promise.resolve(builder.finish({ tenant: 'acme', level: 'day', ticket: 7, causes: [] }));
    },
  };
  const all = {
    series,
    readings: () => store,
    groupsNow: new Groups({ ...ports, series }),
    calendars: new RegisterCalendars(ports),
  };
  return async (resolution: string, [from, to]: readonly [string, string], more: Partial<WindowRowsAsked> = {}) => {
    const span = { fromMs: Date.parse(from), toMs: Date.parse(to), nowMs: Date.parse('2030-01-01') };
    const asked = { tenant: 'acme', meter: 'm', channel: 'import', resolution: windowResolution.parse(resolution) };
    const rows = await windowRows(all, aggregates, { ...asked, ...span, ...more });
    return rows.map(({ json }) => json as Record<string, unknown>);
  };
}

const sums = (rows: readonly Record<string, unknown>[]): string[] => rows.map(({ sum }) => JSON.stringify(sum));

test('a year is what its days come to, also one of 366 days', async () => {
  const startMs = Date.parse('2023-12-31T23:00:00Z');
  const days = Array.from({ length: 366 }, (_, day) =>
    reading(startMs + day * dayMs + 12 * hourMs, hourMs, 1_000 + day),
  );
  const ask = await world(days, hourMs);
  const rows = await ask('year', ['2023-01-01', '2026-01-01']);
  expect(rows).toMatchObject([
    {
      ...{ resolution: 'year', start: '2023-12-31T23:00:00Z', end: '2024-12-31T23:00:00Z', count: 366 },
      ...{ expected: 366 * 24, state: 'final', quality: 'estimated' },
    },
  ]);
  expect(Number(JSON.stringify(rows[0]?.['sum']))).toBe((366 * 1_000 + (365 * 366) / 2) / 1_000);
  // Years that begin in the span alone.
  expect(await ask('year', ['2024-01-01', '2024-12-31'])).toEqual([]);
});

test('an hour in quarters adds up to it, at its decimals', async () => {
  const startMs = Date.parse('2024-03-04T10:00:00Z');
  const ask = await world([reading(startMs, hourMs, 888_123), reading(startMs + hourMs, hourMs, 3)], hourMs);
  const rows = await ask('15m', ['2024-03-04', '2024-03-05']);
  expect(sums(rows)).toEqual(['222.031', '222.031', '222.03', '222.031', '0.001', '0.001', '0', '0.001']);
  expect(rows[1]).toMatchObject({ start: '2024-03-04T10:15:00Z', end: '2024-03-04T10:30:00Z', quality: 'measured' });
});

test('quarters are summed in longer windows, from local midnight on, on a day of 23 hours too', async () => {
  const startMs = Date.parse('2024-03-30T23:00:00Z');
  const ask = await world(
    Array.from({ length: 92 }, (_, index) => reading(startMs + index * quarterMs, quarterMs, 1)),
    quarterMs,
  );
  const span = ['2024-03-30T23:00:00Z', '2024-03-31T22:00:00Z'] as const;
  expect(await ask('15m', span)).toHaveLength(92);
  expect(sums(await ask('30m', span))).toEqual(Array.from({ length: 46 }, () => '0.002'));
  // 23 hours hold eleven windows of two hours, and one of the last hour.
  expect(sums(await ask('2h', span))).toEqual([...Array.from({ length: 11 }, () => '0.008'), '0.004']);
});

test('what is missing is told, and what has no readings is refused', async () => {
  const startMs = Date.parse('2024-03-04T10:00:00Z');
  const ask = await world([reading(startMs, quarterMs, 5)], quarterMs);
  const rows = await ask('1h', ['2024-03-04', '2024-03-05']);
  expect(rows).toMatchObject([{ start: '2024-03-04T10:00:00Z', quality: 'estimated' }]);
  await expect(ask('15m', ['2024-03-04', '2024-03-05'], { meter: 'group:a' })).rejects.toThrow('a group or a register');
  await expect(ask('40m', ['2024-03-04', '2024-03-05'])).rejects.toThrow('readings of 15 minutes');
  expect(() => windowResolution.parse('25h')).toThrow();
  expect(() => windowResolution.parse('week')).toThrow();
});

test('a reading that reaches over midnight gives the next day its windows', async () => {
  // Days as gas is measured: from 06:00 to 06:00.
  const startMs = Date.parse('2024-05-01T04:00:00Z');
  const ask = await world([reading(startMs, dayMs, 24_000)], dayMs);
  const rows = await ask('6h', ['2024-04-30T22:00:00Z', '2024-05-03T22:00:00Z']);
  expect(rows.map(({ start, sum }) => `${String(start)} ${JSON.stringify(sum)}`)).toEqual([
    '2024-05-01T04:00:00Z 6',
    '2024-05-01T10:00:00Z 6',
    '2024-05-01T16:00:00Z 6',
    '2024-05-01T22:00:00Z 6',
  ]);
  expect(sums(await ask('6h', ['2024-05-01T22:00:00Z', '2024-05-02T22:00:00Z']))).toEqual(['6']);
});
