import { describe, expect, test } from 'vitest';
import { instantMsMax } from './instants.ts';
import { UnreadableEntryError } from './parse-entry.ts';
import { SeriesRegistry } from './series-registry.ts';
import { intervalMsAt, seriesDefaults, tagsAt } from './series-settings.ts';
import { MemoryRegistry } from './testing/index.ts';

function setUp() {
  const registry = new MemoryRegistry();
  const clock = { nowMs: 0 };
  const open = () => new SeriesRegistry({ registry, nowMs: () => clock.nowMs, cacheMs: 1_000 });
  return { registry, clock, open, series: open() };
}

describe('series settings', () => {
  test('are the defaults until something is set', async () => {
    const { series } = setUp();
    expect((await series.snapshotOf('acme', [{ meter: 'm1', channel: 'import' }])).of('m1', 'import')).toEqual(
      seriesDefaults,
    );
  });

  test('of a series go before the tenant default, setting by setting', async () => {
    const { series } = setUp();
    const tags = { dials: 5, multiplier: 1 };
    await series.setDefault('acme', { timeZone: 'Europe/Berlin', decimals: 3, tags });
    const own = { decimals: 0, intervalMs: 900_000, unit: 'kWh', tags: { multiplier: 40 } } as const;
    await series.set('acme', { meter: 'a/b c', channel: 'import' }, own);
    const snapshot = await series.snapshotOf('acme', [
      { meter: 'a/b c', channel: 'import' },
      { meter: 'a', channel: 'b c/import' },
    ]);
    expect(snapshot.of('a/b c', 'import')).toEqual({
      timeZone: 'Europe/Berlin',
      formerTimeZones: ['UTC'],
      calendars: [],
      formerCalendars: [],
      notBillableCodes: [],
      intervalMs: 900_000,
      intervals: [{ fromMs: -instantMsMax, intervalMs: 900_000 }],
      unit: 'kWh',
      decimals: 0,
      tags: { dials: 5, multiplier: 40 },
      tagPeriods: [{ fromMs: -instantMsMax, tags: { dials: 5, multiplier: 40 } }],
      formerTags: [],
      sinceMs: 0,
      groups: {},
    });
    expect(snapshot.of('a', 'b c/import')).toMatchObject({ timeZone: 'Europe/Berlin', decimals: 3 });
    expect((await series.snapshotOf('acme-2', [{ meter: 'a/b c', channel: 'import' }])).of('a/b c', 'import')).toEqual(
      seriesDefaults,
    );
  });

  test('change in time: a length and each tag by themselves, over what the tenant says', async () => {
    const { series, clock } = setUp();
    const m1 = { meter: 'm1', channel: 'import' };
    clock.nowMs = 250;
    await series.setDefault('acme', { intervalMs: 900_000, tags: { area: 804 } });
    await series.state('acme', m1, { facts: { intervalMs: 3_600_000 }, validity: { fromMs: 100, toMs: 200 } });
    await series.state('acme', m1, { facts: { tags: { supplier: 'Y' } }, validity: { fromMs: 300 } });
    await series.state('acme', m1, { facts: { tags: { supplier: 'X' } }, validity: { fromMs: 200 } });
    await series.state('acme', undefined, { facts: { tags: { area: 805 } }, validity: { fromMs: 250 } });
    const settings = (await series.snapshotOf('acme', [{ meter: 'm1', channel: 'import' }])).of('m1', 'import');
    expect(settings).toEqual(await series.current('acme', m1));
    expect(settings.intervals).toEqual([
      { fromMs: -instantMsMax, intervalMs: 900_000 },
      { fromMs: 100, intervalMs: 3_600_000 },
      { fromMs: 200, intervalMs: 900_000 },
    ]);
    expect([99, 100, 200].map((atMs) => intervalMsAt(settings, atMs))).toEqual([900_000, 3_600_000, 900_000]);
    expect(settings.tagPeriods).toEqual([
      { fromMs: -instantMsMax, tags: { area: 804 } },
      { fromMs: 200, tags: { area: 804, supplier: 'X' } },
      { fromMs: 250, tags: { area: 805, supplier: 'X' } },
      { fromMs: 300, tags: { area: 805, supplier: 'Y' } },
    ]);
    expect(tagsAt(settings, 260)).toEqual({ area: 805, supplier: 'X' });
    expect(settings).toMatchObject({ intervalMs: 900_000, tags: { area: 805, supplier: 'X' } });
    clock.nowMs = 2_000;
    expect((await series.snapshotOf('acme', [{ meter: 'm1', channel: 'import' }])).of('m1', 'import').tags).toEqual({
      area: 805,
      supplier: 'Y',
    });
    await series.state('acme', m1, { facts: { tags: { supplier: null } }, validity: { fromMs: 200, toMs: 300 } });
    expect(tagsAt(await series.current('acme', m1), 260)).toEqual({ area: 805 });
    await series.set('acme', m1, { tags: {}, intervalMs: undefined });
    const { intervals, tagPeriods } = await series.current('acme', m1);
    expect([intervals, tagPeriods.length]).toEqual([[{ fromMs: -instantMsMax, intervalMs: 900_000 }], 2]);
  });

  test('that an earlier build wrote read as holding from the beginning', async () => {
    const { series, registry } = setUp();
    const value = { intervalMs: 900_000, tags: { dials: 5 } };
    await registry.put('series', 'acme/m1/import', { value, expectedRevision: 0 });
    expect((await series.snapshotOf('acme', [{ meter: 'm1', channel: 'import' }])).of('m1', 'import')).toMatchObject({
      ...value,
      intervals: [{ fromMs: -instantMsMax, intervalMs: 900_000 }],
      tagPeriods: [{ fromMs: -instantMsMax, tags: { dials: 5 } }],
    });
  });

  test('keep what an earlier change set', async () => {
    const { series } = setUp();
    await series.setDefault('acme', { timeZone: 'Europe/Berlin' });
    await series.setDefault('acme', { decimals: 2 });
    expect((await series.snapshotOf('acme', [{ meter: 'm', channel: 'c' }])).of('m', 'c')).toMatchObject({
      timeZone: 'Europe/Berlin',
      decimals: 2,
    });
  });

  test('remember the zones that a series had, and never name the one that it has', async () => {
    const { series } = setUp();
    const m1 = { meter: 'm1', channel: 'import' };
    const zones = async () => {
      const { timeZone, formerTimeZones } = await series.current('acme', m1);
      expect((await series.snapshotOf('acme', [{ meter: 'm1', channel: 'import' }])).of('m1', 'import')).toMatchObject({
        timeZone,
        formerTimeZones,
      });
      return [timeZone, ...formerTimeZones];
    };
    await series.beginDefault('acme', { timeZone: 'Europe/Berlin' });
    expect(await zones()).toEqual(['Europe/Berlin']);
    await series.set('acme', m1, { timeZone: 'Asia/Tokyo', intervalMs: 900_000 });
    expect(await zones()).toEqual(['Asia/Tokyo', 'Europe/Berlin']);
    await series.setDefault('acme', { timeZone: 'UTC', decimals: 1 });
    await series.set('acme', m1, { decimals: 2 });
    expect(await zones()).toEqual(['Asia/Tokyo', 'Europe/Berlin']);
    await series.set('acme', m1, { timeZone: undefined });
    expect(await zones()).toEqual(['UTC', 'Europe/Berlin', 'Asia/Tokyo']);
    expect((await series.current('acme')).formerTimeZones).toEqual(['Europe/Berlin']);
  });

  test('are read again when they are older than the cache may be, and cost no reading before', async () => {
    const { series, open, clock, registry } = setUp();
    await series.snapshotOf('acme', [{ meter: 'm', channel: 'c' }]);
    await open().setDefault('acme', { decimals: 1 });
    const reads = registry.reads;
    clock.nowMs = 1_000;
    expect((await series.snapshotOf('acme', [{ meter: 'm', channel: 'c' }])).of('m', 'c').decimals).toBe(6);
    expect(registry.reads).toBe(reads);
    clock.nowMs = 1_001;
    expect((await series.snapshotOf('acme', [{ meter: 'm', channel: 'c' }])).of('m', 'c').decimals).toBe(1);
  });

  test.each([{ timeZone: 'Mars/Olympus' }, { intervalMs: 0 }, { decimals: 10 }, { unit: 'furlong' as 'kWh' }])(
    'refuse %j',
    async (part) => {
      const { series } = setUp();
      await expect(series.setDefault('acme', part)).rejects.toThrow();
    },
  );

  test('that can not be read are an error, not a default', async () => {
    const { series, registry } = setUp();
    await registry.put('setting', 'acme/series-default', { value: { decimals: 'six' }, expectedRevision: 0 });
    await expect(series.snapshotOf('acme', [])).rejects.toThrow(UnreadableEntryError);
  });
});
