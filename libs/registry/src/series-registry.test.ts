import type { SeriesName } from '@meterflow/readings';
import { describe, expect, test } from 'vitest';
import { changesKeptMax } from './change-log.ts';
import { instantMsMax } from './instants.ts';
import { SeriesRegistry, type SeriesChange, type SettingsSnapshot } from './series-registry.ts';
import type { SeriesFacts, TagPeriod } from './series-settings.ts';
import { MemoryRegistry } from './testing/index.ts';
import type { Validity } from './timeline.ts';

const import1 = { meter: 'm1', channel: 'import' };
const import2 = { meter: 'm2', channel: 'import' };

function setUp() {
  const registry = new MemoryRegistry();
  const clock = { nowMs: 0 };
  const open = () => new SeriesRegistry({ registry, nowMs: () => clock.nowMs, cacheMs: 1_000 });
  return { registry, clock, open, series: open() };
}

describe('the registry of series', () => {
  test('reads what is asked for alone, and once as long as nothing changes', async () => {
    const { series, registry, clock, open } = setUp();
    await open().set('acme', import1, { decimals: 1 });
    const decimals = async () => (await series.snapshotOf('acme', [import1, import2])).of('m1', 'import').decimals;
    expect(await decimals()).toBe(1);
    const { reads } = registry;
    clock.nowMs = 2_000;
    expect(await decimals()).toBe(1);
    // What changed, and what holds for all.
    expect(registry.reads - reads).toBe(2);
  });

  test('sees what another process changed, of that series and of all, once the cache is old', async () => {
    const { series, clock, open } = setUp();
    const other = open();
    const decimals = async () => {
      const snapshot = await series.snapshotOf('acme', [import1, import2]);
      return [snapshot.of('m1', 'import').decimals, snapshot.of('m2', 'import').decimals];
    };
    expect(await decimals()).toEqual([6, 6]);
    await other.set('acme', import1, { decimals: 1 });
    expect(await decimals()).toEqual([6, 6]);
    clock.nowMs += 1_001;
    expect(await decimals()).toEqual([1, 6]);
    await other.setDefault('acme', { decimals: 3 });
    clock.nowMs += 1_001;
    expect(await decimals()).toEqual([1, 3]);
  });

  test('reads all anew for whoever is so far behind that not every change is named', async () => {
    const { series, clock, open, registry } = setUp();
    const before = await series.snapshotOf('acme', [import1]);
    expect(before.of('m1', 'import').decimals).toBe(6);
    const other = open();
    await other.set('acme', import1, { decimals: 1 });
    const named = (await registry.get('setting', 'acme/series-changes'))?.value as { changes: unknown[] };
    const changes = [...named.changes, [2, Array.from({ length: changesKeptMax }, (_, index) => `n${index}/c`)]];
    await registry.put('setting', 'acme/series-changes', { value: { changes: changes.slice(1) }, expectedRevision: 1 });
    clock.nowMs += 1_001;
    expect((await series.snapshotOf('acme', [import1])).of('m1', 'import').decimals).toBe(1);
  });

  test('does not remember what was read while it changed', async () => {
    const { series, clock, open, registry } = setUp();
    await open().set('acme', import1, { decimals: 1 });
    await series.snapshotOf('acme', [import2]);
    const get = registry.get.bind(registry);
    let letGo = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    registry.get = async (kind, name) => {
      const entry = await get(kind, name);
      if (kind === 'series') {
        await held;
      }
      return entry;
    };
    const slow = series.snapshotOf('acme', [import1]);
    await new Promise((resolve) => setImmediate(resolve));
    registry.get = get;
    await open().set('acme', import1, { decimals: 2 });
    clock.nowMs += 1_001;
    await series.snapshotOf('acme', [import2]);
    letGo();
    expect((await slow).of('m1', 'import').decimals).toBe(1);
    expect((await series.snapshotOf('acme', [import1])).of('m1', 'import').decimals).toBe(2);
  });

  test('answers for what was asked alone', async () => {
    const { series } = setUp();
    const snapshot = await series.snapshotOf('acme', [import1]);
    expect(() => snapshot.of('m2', 'import')).toThrow('not asked for');
  });

  test('tells lengths of all, and reads again only those that changed', async () => {
    const { series, clock, open, registry } = setUp();
    const other = open();
    await other.setDefault('acme', { intervalMs: 900_000 });
    await other.set('acme', import1, { intervalMs: 60_000 });
    await other.set('acme', import2, { decimals: 1 });
    expect((await series.lengths('acme')).of('m1', 'import')).toBe(60_000);
    await other.set('acme', import2, { intervalMs: 3_600_000 });
    clock.nowMs += 1_001;
    const { reads } = registry;
    const lengths = await series.lengths('acme');
    expect(registry.reads - reads).toBe(3);
    expect(['m1', 'm2', 'm3'].map((meter) => lengths.of(meter, 'import'))).toEqual([60_000, 3_600_000, 900_000]);
    await other.set('acme', import1, { intervalMs: undefined });
    await other.setDefault('acme', { intervalMs: 1_800_000 });
    clock.nowMs += 1_001;
    const later = await series.lengths('acme');
    expect(['m1', 'm2'].map((meter) => later.of(meter, 'import'))).toEqual([1_800_000, 3_600_000]);
  });

  test('applies many changes at once, and the same again changes nothing', async () => {
    const { series, registry } = setUp();
    const changes = [
      change(import1, { fromMs: 100 }, { tags: { supplier: 'X' }, intervalMs: 900_000 }),
      change(import2, { fromMs: -instantMsMax }, { tags: { area: 1 }, groups: { house: true } }),
      change(import1, { fromMs: 200, toMs: 300 }, { tags: { supplier: 'Y', area: 2 } }),
    ];
    const applied = await series.apply('acme', changes);
    expect(applied).toEqual({
      changed: 2,
      touched: [
        { series: import1, fromMs: 100, toMs: instantMsMax },
        { series: import2, fromMs: -instantMsMax, toMs: instantMsMax },
      ],
    });
    const snapshot = await series.snapshotOf('acme', [import1, import2]);
    expect(snapshot.of('m1', 'import').tagPeriods.map(({ tags }) => tags)).toEqual([
      {},
      { supplier: 'X' },
      { supplier: 'Y', area: 2 },
      { supplier: 'X' },
    ]);
    expect(await registry.list('member', { prefix: 'acme/house/', limit: 9 })).toHaveLength(1);
    const before = await registry.list('series', { prefix: '', limit: 9 });
    expect(await series.apply('acme', changes)).toEqual({ changed: 0, touched: [] });
    expect(await registry.list('series', { prefix: '', limit: 9 })).toEqual(before);
  });

  test('touches what a change in the past changes, and no more', async () => {
    const { series } = setUp();
    await series.apply('acme', [change(import1, { fromMs: 100 }, { tags: { area: 1 } })]);
    const { touched } = await series.apply('acme', [
      change(import1, { fromMs: 200, toMs: 300 }, { tags: { area: 2 } }),
    ]);
    expect(touched).toEqual([{ series: import1, fromMs: 200, toMs: 300 }]);
    const { touched: zone } = await series.apply('acme', [
      { ...change(import1, { fromMs: 0 }, {}), part: { timeZone: 'Europe/Paris' } },
    ]);
    expect(zone).toEqual([{ series: import1, fromMs: -instantMsMax, toMs: instantMsMax }]);
  });

  test('applies to what another changed meanwhile', async () => {
    const { series, open, registry } = setUp();
    const putAll = registry.putAll.bind(registry);
    registry.putAll = async (kind, changes) => {
      registry.putAll = putAll;
      await open().apply('acme', [change(import1, { fromMs: 5 }, { tags: { theirs: 1 } })]);
      return putAll(kind, changes);
    };
    await series.apply('acme', [change(import1, { fromMs: 5 }, { tags: { ours: 1 } })]);
    const { tags } = tagsOf(await series.snapshotOf('acme', [import1]));
    expect(tags).toEqual({ theirs: 1, ours: 1 });
  });
});

function change(series: SeriesName, validity: Validity, facts: SeriesFacts): SeriesChange {
  return { series, part: {}, facts, validity };
}

function tagsOf(snapshot: SettingsSnapshot): TagPeriod {
  return snapshot.of('m1', 'import').tagPeriods.at(-1) as TagPeriod;
}
