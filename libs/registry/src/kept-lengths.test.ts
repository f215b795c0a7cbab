import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { instantMsMax, KeptLengths, SeriesRegistry, UnreadableEntryError } from './index.ts';
import { seriesPath } from './series-path.ts';
import { MemoryRegistry } from './testing/index.ts';

function setUp() {
  const registry = new MemoryRegistry();
  const open = () => {
    const series = new SeriesRegistry({ registry, nowMs: () => 0, cacheMs: 1_000 });
    return { series, lengths: new KeptLengths({ registry, series }) };
  };
  return { registry, open, ...open() };
}

describe('registered interval lengths', () => {
  test('are found under the version that they had, whatever is registered since, by any process', async () => {
    const { series, lengths, open } = setUp();
    await series.setDefault('acme', { intervalMs: 900_000 });
    await series.set('acme', { meter: 'a/b', channel: 'import' }, { intervalMs: 3_600_000 });
    const before = await lengths.newest('acme');
    await series.set('acme', { meter: 'a/b', channel: 'import' }, { intervalMs: 60_000 });
    await series.setDefault('acme', { intervalMs: 1_800_000 });
    const after = await open().lengths.newest('acme');
    expect(after.version).not.toBe(before.version);
    expect(after.of('a/b', 'import')).toBe(60_000);
    const found = await open().lengths.at('acme', before.version);
    expect(found?.version).toBe(before.version);
    expect(found?.of('a/b', 'import')).toBe(3_600_000);
    expect(found?.of('other', 'import')).toBe(900_000);
  });

  test('keep what changes in time, of a series and of all others', async () => {
    const { series, lengths, open } = setUp();
    await series.state(
      'acme',
      { meter: 'm', channel: 'c' },
      { facts: { intervalMs: 60_000 }, validity: { fromMs: 5 } },
    );
    const { version } = await lengths.newest('acme');
    await series.state('acme', undefined, { facts: { intervalMs: 900_000 }, validity: { fromMs: 9, toMs: 11 } });
    const later = await open().lengths.newest('acme');
    expect(later.version).not.toBe(version);
    const found = await lengths.at('acme', version);
    expect(found?.of('m', 'c')).toEqual([{ fromMs: 5, intervalMs: 60_000 }]);
    expect(found?.of('other', 'c')).toBeUndefined();
    expect((await lengths.at('acme', later.version))?.of('other', 'c')).toEqual([
      { fromMs: 9, intervalMs: 900_000 },
      { fromMs: 11, intervalMs: undefined },
    ]);
    expect((await lengths.at('acme', later.version))?.version).toBe(later.version);
  });

  test('are no entry where none is registered, also of a tenant with other settings', async () => {
    const { series, lengths, registry } = setUp();
    await series.setDefault('acme', { timeZone: 'Europe/Zurich' });
    await series.set('acme', { meter: 'm', channel: 'c' }, { decimals: 2 });
    const none = await lengths.newest('acme');
    expect(none.version).toBe('');
    expect((await lengths.at('acme', ''))?.of('m', 'c')).toBeUndefined();
    expect(await registry.list('setting', { prefix: 'acme/interval-lengths/', limit: 9 })).toEqual([]);
  });

  test('are kept once, and cost nothing as long as they stay the same', async () => {
    const { series, lengths, open, registry } = setUp();
    await series.setDefault('acme', { intervalMs: 900_000 });
    const { version } = await lengths.newest('acme');
    expect((await open().lengths.newest('acme')).version).toBe(version);
    const reads = registry.reads;
    expect((await lengths.newest('acme')).version).toBe(version);
    expect(registry.reads).toBe(reads);
  });

  test('of another tenant, or of none, are not to be had', async () => {
    const { series, lengths } = setUp();
    await series.setDefault('acme', { intervalMs: 900_000 });
    const { version } = await lengths.newest('acme');
    expect(await lengths.at('other', version)).toBeUndefined();
    expect(await lengths.at('acme', 'ffff')).toBeUndefined();
  });

  test('that can not be read are an error', async () => {
    const { lengths, registry } = setUp();
    await registry.put('setting', 'acme/interval-lengths/ab', { value: { own: 7 }, expectedRevision: 0 });
    await expect(lengths.at('acme', 'ab')).rejects.toThrow(UnreadableEntryError);
  });

  test('that a former build kept in one entry are found', async () => {
    const { lengths, registry } = setUp();
    const value = {
      fallback: 900_000,
      own: [[60_000, ['a%2Fb/import', 'c/import']]],
      changing: [['d/import', [[5, null]]]],
    };
    await registry.put('setting', 'acme/interval-lengths/ab', { value, expectedRevision: 0 });
    const found = await lengths.at('acme', 'ab');
    expect(['a/b', 'c', 'd', 'e'].map((meter) => found?.of(meter, 'import'))).toEqual([
      60_000,
      60_000,
      [{ fromMs: 5, intervalMs: undefined }],
      900_000,
    ]);
  });

  test('of which a page is gone are gone', async () => {
    const { series, lengths, registry, open } = setUp();
    await series.set('acme', { meter: 'a', channel: 'import' }, { intervalMs: 60_000 });
    const { version } = await lengths.newest('acme');
    const [page] = await registry.list('setting', { prefix: 'acme/interval-length-pages/', limit: 9 });
    await registry.remove('setting', page?.name ?? '', page?.revision ?? 0);
    expect(await open().lengths.at('acme', version)).toBeUndefined();
  });

  test('of very many series are pages, of which a change writes one', async () => {
    const { series, lengths, registry, open } = setUp();
    const count = 20_000;
    const name = (index: number) => ({ meter: `m${index}`, channel: 'import' });
    const all = Array.from({ length: count }, (_, index) => ({
      name: `acme/${seriesPath(name(index).meter, 'import')}`,
      value: { intervalMs: index % 3 === 0 ? 60_000 : 900_000 },
      expectedRevision: 0,
    }));
    for (let from = 0; from < count; from += 1_000) {
      await registry.putAll('series', all.slice(from, from + 1_000));
    }
    const before = await lengths.newest('acme');
    const pages = async () =>
      (await registry.list('setting', { prefix: 'acme/interval-length-pages/', limit: 99 })).length;
    expect(await pages()).toBe(8);
    await series.set('acme', name(7), { intervalMs: 3_600_000 });
    const after = await lengths.newest('acme');
    expect(await pages()).toBe(9);
    expect([before.of('m7', 'import'), after.of('m7', 'import')]).toEqual([900_000, 3_600_000]);
    const read = await open().lengths.at('acme', after.version);
    const lengthsOf = (of: typeof after | undefined) => all.map((_, index) => of?.of(`m${index}`, 'import'));
    expect(lengthsOf(read)).toEqual(lengthsOf(after));
    expect(lengthsOf(after)).toEqual(all.map(({ value }, index) => (index === 7 ? 3_600_000 : value.intervalMs)));
    expect(read?.of('m20000', 'import')).toBeUndefined();
  });

  test('of series that were added one by one are in more pages, too', async () => {
    const { series, lengths, open } = setUp();
    const known = lengths;
    for (let from = 0; from < 10_000; from += 500) {
      const changes = Array.from({ length: 500 }, (_, index) => ({
        series: { meter: `m${from + index}`, channel: 'import' },
        ...{ part: { intervalMs: 60_000 }, facts: {}, validity: { fromMs: -instantMsMax } },
      }));
      await series.apply('acme', changes);
      expect((await known.newest('acme')).of(`m${from}`, 'import')).toBe(60_000);
    }
    const { own } = await known.newest('acme');
    expect([own.count, own.pages.length]).toEqual([10_000, 4]);
    expect((await open().lengths.newest('acme')).own.pages.length).toBe(4);
  }, 20_000);

  test('are the same written and read, with one version for one content in any order', async () => {
    const own = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c d', 'e/f'), fc.constantFrom(60_000, 900_000)));
    await fc.assert(
      fc.asyncProperty(own, fc.constantFrom(undefined, 900_000), async (changes, intervalMs) => {
        const last = new Map<string, number>(changes);
        const versions: string[] = [];
        for (const some of [changes, [...last].reverse()]) {
          const { series, lengths, open } = setUp();
          await series.setDefault('acme', { intervalMs });
          for (const [meter, own] of some) {
            await series.set('acme', { meter, channel: 'import' }, { intervalMs: own });
            await lengths.newest('acme');
          }
          const { version } = await lengths.newest('acme');
          const read = await open().lengths.at('acme', version);
          expect(read?.version).toBe(version);
          versions.push(version);
          for (const meter of ['a', 'b', 'c d', 'e/f', 'none']) {
            expect(read?.of(meter, 'import')).toBe(last.get(meter) ?? intervalMs);
          }
        }
        expect(versions[1]).toBe(versions[0]);
      }),
      { numRuns: 50 },
    );
  });
});
