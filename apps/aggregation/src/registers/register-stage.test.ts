import { registerDaysOf, SheetCursor } from '@meterflow/aggregates';
import { decodeAggregateBatch } from '@meterflow/contracts';
import type { StoredNotice } from '@meterflow/readings';
import { RegisterCalendars, type CalendarDefinition } from '@meterflow/registry';
import { MemoryRegistry } from '@meterflow/registry/memory';
import { expect, test } from 'vitest';
import { aggregationStage } from '../aggregation-stage.ts';
import { memberStage } from '../groups/member-stage.ts';
import type { SeriesZone, SeriesZones } from '../series-zones.ts';
import { TestGroups } from '../testing/group-world.ts';
import { countingReadings, countingTickets, type Calls } from '../testing/memory-stores.ts';
import { notice } from '../testing/notices.ts';
import { registerStage } from './register-stage.ts';
import { registerZones } from './register-zones.ts';

const hourMs = 3_600_000;
const tariff: CalendarDefinition = {
  holidays: [],
  periods: [
    {
      from: '2024-01-01',
      weekday: { '00:00': 'night', '06:00': 'day', '22:00': 'night' },
      weekend: { '00:00': 'night' },
    },
  ],
};
const friday = Date.parse('2024-03-29T00:00:00+01:00');

/** The stage over readings of every hour since 1970; what it was asked for, and what it made, by channel and start. */
async function run(zone: SeriesZone, notices: readonly StoredNotice[], calendars: Record<string, unknown>) {
  const calls: Calls = [];
  const registry = new MemoryRegistry();
  const known = new RegisterCalendars({ registry, nowMs: () => 0, cacheMs: 1_000 });
  for (const [name, definition] of Object.entries(calendars)) {
    await known.put('default', name, definition);
  }
  registry.reads = 0;
  const zones: SeriesZones = { snapshotOf: () => Promise.resolve({ of: () => zone }) };
  const ports = { tickets: countingTickets(calls), readings: countingReadings(calls, hourMs), zones };
  const days = aggregationStage(ports, { lane: 'live' });
  const members = memberStage(days, { ...ports, groups: new TestGroups() }, { lane: 'live' });
  const stage = registerStage(members, { ...ports, calendars: known }, { lane: 'live' });
  const { messages, messagesOf } = await stage.handle(notices, await stage.read(notices));
  expect(messagesOf).toHaveLength(messages.length);
  const found: string[] = [];
  for (const { payload } of messages) {
    const batch = decodeAggregateBatch(payload);
    const cursor = new SheetCursor(batch);
    while (cursor.next()) {
      const start = new Date(cursor.startMs).toISOString().slice(0, 16);
      const count = cursor.rows === 0 ? 'none' : String(batch.rows.count[cursor.rowsTo - 1]);
      const causes = batch.causes.length === 0 ? '' : ' *';
      found.push(`${cursor.series.channel} ${start} ${count}${causes}`);
    }
  }
  return { calls, found, reads: registry.reads };
}

const touched = notice(1, [{ meter: 'm', fromMs: friday + 3 * hourMs, toMs: friday + 4 * hourMs }]);

test('a series has its calendars computed beside its days, from the same readings, causing nothing', async () => {
  const zone = { timeZone: 'Europe/Zurich', calendars: ['tariff'] };
  const { calls, found } = await run(zone, [touched], { tariff });
  expect(found).toEqual([
    'import 2024-03-28T23:00 24 *',
    'import@tariff.day 2024-03-28T23:00 16',
    'import@tariff.night 2024-03-28T23:00 8',
  ]);
  expect(calls.filter((call) => call.startsWith('read'))).toHaveLength(1);
});

test('gas days are those that overlap the days of the notice', async () => {
  const zone = { timeZone: 'Europe/Zurich', calendars: ['gas-day'] };
  const saturday = notice(1, [{ meter: 'm', fromMs: friday + 30 * hourMs, toMs: friday + 31 * hourMs }]);
  const { found } = await run(zone, [saturday], { 'gas-day': { dayStartsAt: '06:00' } });
  expect(found).toEqual([
    'import 2024-03-29T23:00 24 *',
    'import@gas-day 2024-03-29T05:00 24',
    // In the night to Sunday the clock goes forward.
    'import@gas-day 2024-03-30T05:00 23',
  ]);
});

test('what a series, or a calendar, no longer has is withdrawn, in former zones as well', async () => {
  const gone = { timeZone: 'Europe/Zurich', formerCalendars: ['tariff'] };
  expect((await run(gone, [touched], { tariff })).found.slice(1)).toEqual([
    'import@tariff.day 2024-03-28T23:00 none',
    'import@tariff.night 2024-03-28T23:00 none',
  ]);
  const moved = { timeZone: 'Europe/Zurich', formerTimeZones: ['UTC'], calendars: ['tariff'] };
  expect((await run(moved, [touched], { tariff })).found.filter((line) => line.includes('@'))).toEqual([
    'import@tariff.day 2024-03-28T23:00 16',
    'import@tariff.night 2024-03-28T23:00 8',
    'import@tariff.day 2024-03-28T00:00 none',
    'import@tariff.day 2024-03-29T00:00 none',
    'import@tariff.night 2024-03-28T00:00 none',
    'import@tariff.night 2024-03-29T00:00 none',
  ]);
});

test('a tenant without calendars pays one look-up, and a series without them nothing more', async () => {
  const plain = await run({ timeZone: 'UTC' }, [touched], {});
  expect(plain).toMatchObject({ found: ['import 2024-03-29T00:00 24 *'], reads: 1 });
  const other = await run({ timeZone: 'UTC' }, [touched], { tariff });
  expect(other.found).toEqual(plain.found);
  expect(other.calls).toEqual(plain.calls);
});

test('the zone of a register is that of its series, with the spans that it takes', async () => {
  const registry = new MemoryRegistry();
  const calendars = new RegisterCalendars({ registry, nowMs: () => 0, cacheMs: 1_000 });
  await calendars.put('default', 'tariff', tariff);
  await calendars.put('default', 'gas-day', { dayStartsAt: '06:00' });
  const own: SeriesZone = { timeZone: 'Europe/Zurich', intervals: [{ fromMs: 0, intervalMs: hourMs }] };
  const zones = registerZones({ snapshotOf: () => Promise.resolve({ of: () => own }) }, calendars);
  const series = ['import', 'import@tariff.day', 'import@gas-day'].map((channel) => ({ meter: 'm', channel }));
  const snapshot = await zones.snapshotOf('default', series);
  const [plain, day, gas] = series.map(({ meter, channel }) => snapshot.of(meter, channel));
  expect(plain).toBe(own);
  expect(gas).toMatchObject({ timeZone: 'Europe/Zurich', dayStartsAtMs: 6 * hourMs });
  expect(gas).not.toHaveProperty('covered');
  const weekend = { fromMs: friday, toMs: friday + 72 * hourMs };
  expect(day?.covered?.(weekend)).toEqual([{ fromMs: friday + 6 * hourMs, toMs: friday + 22 * hourMs }]);
  const plan = (await calendars.snapshot('default')).of('tariff')?.plan;
  expect(plan && registerDaysOf(plan, 'Europe/Zurich').pieces(Date.parse('2024-03-29') / 86_400_000)).toHaveLength(3);
});
