import { calendarOf, dayMs, hourMs, SheetCursor, type AggregateBatch } from '@meterflow/aggregates';
import { decodeAggregateBatch, encodeStoredNotice } from '@meterflow/contracts';
import type { StoredNotice } from '@meterflow/readings';
import type { LeasedMessage } from '@meterflow/stage';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { aggregationStage } from './aggregation-stage.ts';
import { utcZones, type SeriesZones } from './series-zones.ts';
import { countingReadings, countingTickets, type Calls } from './testing/memory-stores.ts';
import { causeOf, keyOf, notice, type TouchedSpan } from './testing/notices.ts';

const zurichZones: SeriesZones = {
  snapshotOf: () => Promise.resolve({ of: () => ({ timeZone: 'Europe/Zurich' }) }),
};

function stageOn(calls: Calls, zones: SeriesZones = utcZones) {
  const readings = countingReadings(calls, hourMs);
  return aggregationStage({ tickets: countingTickets(calls), readings, zones }, { lane: 'live' });
}

async function aggregated(notices: readonly StoredNotice[], calls: Calls = [], zones: SeriesZones = utcZones) {
  const stage = stageOn(calls, zones);
  const handled = await stage.handle(notices, await stage.read(notices));
  expect(handled.writes).toEqual([]);
  return handled.messages;
}

async function batches(notices: readonly StoredNotice[], calls: Calls = [], zones: SeriesZones = utcZones) {
  return (await aggregated(notices, calls, zones)).map(({ payload }) => decodeAggregateBatch(payload));
}

/** The windows of a batch: meter and local start. */
function windows(batch: AggregateBatch): string[] {
  const found: string[] = [];
  const cursor = new SheetCursor(batch);
  while (cursor.next()) {
    found.push(`${cursor.series.meter} ${cursor.startMs}`);
  }
  return found;
}

const hoursOf = (meter: string, fromHour: number, hours: number): TouchedSpan => ({
  meter,
  fromMs: fromHour * hourMs,
  toMs: (fromHour + hours) * hourMs,
});

describe('aggregation', () => {
  test('takes the ticket before it reads any input', async () => {
    const calls: Calls = [];
    await aggregated([notice(1, [hoursOf('a', 0, 3)]), notice(2, [hoursOf('b', 0, 3)], { tenant: 'other' })], calls);
    expect(calls).toEqual([
      'ticket default',
      'read default a validated 0 24',
      'ticket other',
      'read other b validated 0 24',
    ]);
  });

  test('counts what must not be billed by the codes that its series names', async () => {
    // The readings here have no code.
    const zones = (code: string): SeriesZones => ({
      snapshotOf: () => Promise.resolve({ of: () => ({ timeZone: 'UTC', notBillableCodes: [code] }) }),
    });
    const counted = async (code: string): Promise<number | undefined> =>
      (await batches([notice(1, [hoursOf('a', 0, 3)])], [], zones(code)))[0]?.rows.notBillable.at(-1);
    expect(await counted('')).toBe(24);
    expect(await counted('E')).toBe(0);
  });

  test('computes whole local days, in their zone, from what is stored', async () => {
    // 2019-03-31: 23 hours, from 23:00 UTC of the day before.
    const fromMs = Date.parse('2019-03-31T12:00:00Z');
    const [batch] = await batches([notice(1, [{ meter: 'a', fromMs, toMs: fromMs + hourMs }])], [], zurichZones);
    const startMs = Date.parse('2019-03-30T23:00:00Z');
    expect(batch).toMatchObject({ tenant: 'default', level: 'day', ticket: 1, causes: [causeOf(1)] });
    expect(batch?.sheets).toMatchObject({
      startMs: Float64Array.of(startMs),
      endMs: Float64Array.of(startMs + 23 * hourMs),
    });
    const first = startMs / hourMs;
    expect(batch?.rows.sumLow.at(0)).toBe(first);
    expect(batch?.rows.sumLow.at(-1)).toBe(23 * first + (22 * 23) / 2);
  });

  test('computes a storm of notices about the same days once, in one message with all their causes', async () => {
    const calls: Calls = [];
    const storm = Array.from({ length: 16 }, (_, number) =>
      notice(number, [hoursOf('a', number, 1), hoursOf('b', 30, 1)]),
    );
    const found = await batches(storm, calls);
    expect(calls).toEqual(['ticket default', 'read default a validated 0 24', 'read default b validated 24 48']);
    expect(found.map(windows)).toEqual([['a 0', `b ${dayMs}`]]);
    expect(found[0]?.causes).toHaveLength(16);
  });

  test('computes the days of a year that is filled in late once each, not once a reading, batch or hour', async () => {
    const calls: Calls = [];
    const yearHours = 365 * 24;
    // As ingest cuts them: 4,000 quarter hours a batch, which begin and end within days.
    const filled = Array.from({ length: Math.ceil(yearHours / 1_000) }, (_, number) =>
      notice(number, [hoursOf('a', number * 1_000, Math.min(1_000, yearHours - number * 1_000))]),
    );
    const days = (await batches(filled, calls)).flatMap(windows);
    expect(new Set(days).size).toBe(365);
    // A day on the edge of two messages is in both.
    expect(days.length).toBeLessThanOrEqual(365 + 3);
    expect(calls).toEqual(['ticket default', `read default a validated 0 ${yearHours}`]);
  });

  test('keeps each cause with all windows that its part names, however the messages are cut and grouped', async () => {
    const meters = fc.constantFrom('a', 'b', 'c');
    const span = fc
      .tuple(meters, fc.nat(5_000), fc.integer({ min: 1, max: 4_000 }))
      .map(([meter, from, hours]) => hoursOf(meter, from, hours));
    const groups = fc.array(fc.array(span, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(groups, async (touched) => {
        const found = await batches(
          touched.map((spans, number) => notice(number, spans)),
          [],
          zurichZones,
        );
        touched.forEach((spans, number) => {
          const mine = found.filter(({ causes }) => causes.some(({ key }) => key === keyOf(number)));
          const rows = mine.flatMap(({ causes }) => causes.filter(({ key }) => key === keyOf(number)));
          // Every part of one cut, each once …
          expect(rows.map(({ part }) => part).sort((a, b) => a - b)).toEqual([...rows.keys()]);
          expect(rows.every(({ parts }) => parts === rows.length)).toBe(true);
          // … and together all windows of the notice.
          const stored = new Set(mine.flatMap(windows));
          expect(due(spans).filter((window) => !stored.has(window))).toEqual([]);
        });
      }),
      { numRuns: 25 },
    );
  });

  test('cuts what many meters touch into messages of 256 KB, and a retry alone in the same parts', async () => {
    const meters = Array.from({ length: 1_000 }, (_, meter) => hoursOf(`meter-of-a-longer-name-${meter}`, 5, 1));
    const together = await aggregated([notice(1, meters), notice(2, meters), notice(3, [hoursOf('other', 0, 1)])]);
    expect(Math.max(...together.map(({ payload }) => payload.length))).toBeLessThanOrEqual(256 * 1024);
    const partsOf = (found: readonly AggregateBatch[], number: number) =>
      found.flatMap((batch) => batch.causes.filter(({ key }) => key === keyOf(number)));
    const alone = await batches([notice(1, meters)]);
    expect(partsOf(alone, 1)).toEqual(
      partsOf(
        together.map(({ payload }) => decodeAggregateBatch(payload)),
        1,
      ),
    );
    expect(partsOf(alone, 1).length).toBeGreaterThan(1);
  });

  test('has nothing to say about raw readings', async () => {
    const calls: Calls = [];
    expect(await aggregated([notice(1, [hoursOf('a', 0, 3)], { layer: 'raw' })], calls)).toEqual([]);
    expect(calls).toEqual([]);
  });

  test('is known by the batch that the notice tells of, and names its causes and what no longer comes', () => {
    const stage = stageOn([]);
    const told = notice(7, [hoursOf('a', 0, 3)]);
    const message: LeasedMessage = {
      id: '1',
      payload: encodeStoredNotice(told),
      attributes: {},
      publishedAtMs: 0,
      deliveryAttempt: 1,
    };
    const input = stage.decode(message);
    expect(stage.key(input)).toBe(`default/${keyOf(7)}`);
    expect(stage.origin(input)).toEqual({ tenant: 'default', causes: [causeOf(7)], layers: ['hour', 'day', 'month'] });
  });
});

/** The local days that spans touch. */
function due(spans: readonly TouchedSpan[]): string[] {
  const calendar = calendarOf('Europe/Zurich');
  return spans.flatMap(({ meter, fromMs, toMs }) => {
    const [first, last] = [calendar.dayOf(fromMs), calendar.dayOf(toMs - 1)];
    return Array.from({ length: last - first + 1 }, (_, index) => `${meter} ${calendar.dayStartMs(first + index)}`);
  });
}
