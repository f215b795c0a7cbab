import { expect, test } from 'vitest';
import { SeriesRegistry } from './series-registry.ts';
import { MemoryRegistry } from './testing/index.ts';
import { UnknownSeries } from './unknown-series.ts';

const registry = new MemoryRegistry();
const series = new SeriesRegistry({ registry, nowMs: () => 1, cacheMs: 0 });
const unknown = new UnknownSeries(registry);
const name = (meter: string): { meter: string; channel: string } => ({ meter, channel: 'import' });

test('what a delivery’s series were is fixed by who asks first, and forgotten with it', async () => {
  await series.set('acme', name('known'), {});
  const names = [name('known'), ...Array.from({ length: 12_000 }, (_, index) => name(`m${index}`))];
  const fixed = await unknown.fix('acme', 'a.1', names);
  expect([fixed.size, fixed.has(name('known')), fixed.has(name('m0')), fixed.has(name('m11999'))]).toEqual([
    ...[12_000, false, true, true],
  ]);
  await series.set('acme', name('m0'), {});
  const again = await unknown.fix('acme', 'a.1', names);
  expect([again.size, again.has(name('m0'))]).toEqual([12_000, true]);
  await unknown.fix('acme', 'a.10', [name('m1')]);
  await unknown.forget('acme', 'a.1');
  await unknown.forget('acme', 'a.1');
  expect(await unknown.of('acme', 'a.1')).toBeUndefined();
  expect((await unknown.of('acme', 'a.10'))?.size).toBe(1);
  await unknown.forget('acme', 'a.10');
  expect(await registry.list('setting', { prefix: 'acme/unknown-series/', limit: 10 })).toEqual([]);
});

test('where all are registered nothing is kept', async () => {
  await series.set('all', name('m0'), {});
  const before = registry.list('setting', { prefix: 'all/unknown-series/', limit: 10 });
  expect((await unknown.fix('all', 'b.1', [name('m0')])).size).toBe(0);
  expect(await unknown.of('all', 'b.1')).toBeUndefined();
  expect(await before).toEqual([]);
});
