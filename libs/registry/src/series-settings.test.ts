import { describe, expect, test } from 'vitest';
import { UnreadableEntryError } from './parse-entry.ts';
import { seriesDefaults, SeriesRegistry } from './series-settings.ts';
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
    expect((await series.snapshot('acme')).of('m1', 'import')).toEqual(seriesDefaults);
  });

  test('of a series go before the tenant default, setting by setting', async () => {
    const { series } = setUp();
    const tags = { dials: 5, multiplier: 1 };
    await series.setDefault('acme', { timeZone: 'Europe/Berlin', decimals: 3, tags });
    const own = { decimals: 0, intervalMs: 900_000, unit: 'kWh', tags: { multiplier: 40 } } as const;
    await series.set('acme', { meter: 'a/b c', channel: 'import' }, own);
    const snapshot = await series.snapshot('acme');
    expect(snapshot.of('a/b c', 'import')).toEqual({
      timeZone: 'Europe/Berlin',
      formerTimeZones: ['UTC'],
      intervalMs: 900_000,
      unit: 'kWh',
      decimals: 0,
      tags: { dials: 5, multiplier: 40 },
    });
    expect(snapshot.of('a', 'b c/import')).toMatchObject({ timeZone: 'Europe/Berlin', decimals: 3 });
    expect((await series.snapshot('acme-2')).of('a/b c', 'import')).toEqual(seriesDefaults);
  });

  test('keep what an earlier change set', async () => {
    const { series } = setUp();
    await series.setDefault('acme', { timeZone: 'Europe/Berlin' });
    await series.setDefault('acme', { decimals: 2 });
    expect((await series.snapshot('acme')).of('m', 'c')).toMatchObject({ timeZone: 'Europe/Berlin', decimals: 2 });
  });

  test('remember the zones that a series had, and never name the one that it has', async () => {
    const { series } = setUp();
    const m1 = { meter: 'm1', channel: 'import' };
    const zones = async () => {
      const { timeZone, formerTimeZones } = await series.current('acme', m1);
      expect((await series.snapshot('acme')).of('m1', 'import')).toMatchObject({ timeZone, formerTimeZones });
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
    await series.snapshot('acme');
    await open().setDefault('acme', { decimals: 1 });
    const reads = registry.reads;
    clock.nowMs = 1_000;
    expect((await series.snapshot('acme')).of('m', 'c').decimals).toBe(6);
    expect(registry.reads).toBe(reads);
    clock.nowMs = 1_001;
    expect((await series.snapshot('acme')).of('m', 'c').decimals).toBe(1);
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
    await expect(series.snapshot('acme')).rejects.toThrow(UnreadableEntryError);
  });
});
