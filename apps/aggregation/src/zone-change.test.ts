import { SheetCursor, type SheetLevel } from '@meterflow/aggregates';
import { decodeAggregateBatch } from '@meterflow/contracts';
import type { Touched } from '@meterflow/readings';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { aggregationStage } from './aggregation-stage.ts';
import { monthStage } from './month-stage.ts';
import type { SeriesZone } from './series-zones.ts';
import { countingReadings, countingTickets, MemoryAggregates, nothingClosed } from './testing/memory-stores.ts';
import { keyOf, notice } from './testing/notices.ts';

const hourMs = 3_600_000;
const fromMs = Date.parse('2019-03-20T00:00:00Z');
const toMs = Date.parse('2019-04-04T00:00:00Z');
/** What is published for a recompute: a day more on both sides, where windows of the zone may take a former one's place. */
const recomputed = { fromMs: fromMs - 24 * hourMs, toMs: toMs + 24 * hourMs };
const tenant = 'default';

/** One series with a reading every hour of 20 March to 3 April (UTC), aggregated again and again. */
class Rig {
  readonly #stored: MemoryAggregates;
  readonly #tickets = countingTickets([]);
  #number = 0;

  constructor(placeMs: number) {
    this.#stored = new MemoryAggregates([], placeMs);
  }

  /** Everything, or what is given, computed with these settings. */
  async compute(zone: SeriesZone, span = recomputed): Promise<void> {
    const zones = { snapshotOf: () => Promise.resolve({ of: () => zone }) };
    const all = countingReadings([], hourMs);
    const readings: typeof all = {
      ...all,
      read: (days) => all.read({ ...days, fromMs: Math.max(days.fromMs, fromMs), toMs: Math.min(days.toMs, toMs) }),
    };
    const days = aggregationStage({ tickets: this.#tickets, readings, zones }, { lane: 'bulk' });
    const notices = [notice(this.#number++, [{ meter: 'a', ...span }])];
    const { messages } = await days.handle(notices, await days.read(notices));
    for (const { payload } of messages) {
      const batch = decodeAggregateBatch(payload);
      this.#stored.put(batch);
      const { startMs, endMs } = batch.sheets;
      const touched: Touched = { series: batch.series, index: batch.sheets.series, fromMs: startMs, toMs: endMs };
      const ports = { tickets: this.#tickets, aggregates: this.#stored, zones, closedDays: nothingClosed };
      const months = monthStage(ports, { lane: 'bulk' });
      const stored = [{ tenant, level: 'day', key: keyOf(this.#number), causes: batch.causes, touched } as const];
      const handled = await months.handle(stored, await months.read(stored));
      handled.messages
        .filter(({ topic }) => topic === 'aggregates.bulk')
        .forEach((message) => {
          this.#stored.put(decodeAggregateBatch(message.payload));
        });
    }
  }

  async windows(level: SheetLevel): Promise<string[]> {
    const series = { tenant, meter: 'a', channel: 'import' };
    const batch = await this.#stored.read({ ...series, level, fromMs: 0, toMs: Number.MAX_SAFE_INTEGER });
    const cursor = new SheetCursor(batch);
    const found: string[] = [];
    while (cursor.next()) {
      if (cursor.rows > 0) {
        const { count, sumLow } = batch.rows;
        const last = cursor.rowsTo - 1;
        found.push(`${new Date(cursor.startMs).toISOString()} ${cursor.endMs} ${count[last]} ${sumLow[last]}`);
      }
    }
    return found.sort();
  }
}

const zoneNames = [
  'UTC',
  'Europe/Zurich',
  'Europe/London',
  'Europe/Helsinki',
  'Asia/Kolkata',
  'Asia/Tokyo',
  'America/New_York',
  'Pacific/Auckland',
];

// As the embedded stores keep windows, and as Bigtable and BigQuery do.
describe.each([
  ['for each half day', 12 * hourMs],
  ['for each instant', 1],
])('with a place %s', (_, placeMs) => {
  test('days and months of a zone that a series had before leave nothing behind, whatever the zones', async () => {
    const zones = fc.uniqueArray(fc.constantFrom(...zoneNames), { minLength: 2, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(zones, async (names) => {
        const rig = new Rig(placeMs);
        for (let now = 0; now < names.length; now++) {
          await rig.compute({
            timeZone: names[now] as string,
            formerTimeZones: names.slice(0, now),
          });
        }
        const fresh = new Rig(placeMs);
        await fresh.compute({ timeZone: names.at(-1) as string }, { fromMs, toMs });
        expect(await rig.windows('day')).toEqual(await fresh.windows('day'));
        expect(await rig.windows('month')).toEqual(await fresh.windows('month'));
      }),
      { numRuns: 20 },
    );
  });

  test('a later notice of a few hours touches no day of the zone that holds', async () => {
    const rig = new Rig(placeMs);
    const zurich = { timeZone: 'Europe/Zurich', formerTimeZones: ['UTC', 'Europe/Helsinki'] };
    await rig.compute({ timeZone: 'UTC' });
    await rig.compute(zurich);
    const before = [await rig.windows('day'), await rig.windows('month')];
    await rig.compute(zurich, { fromMs: fromMs + 50 * hourMs, toMs: fromMs + 53 * hourMs });
    expect([await rig.windows('day'), await rig.windows('month')]).toEqual(before);
  });
});
