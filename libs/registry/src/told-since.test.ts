import { expect, test } from 'vitest';
import { MemoryRegistry } from './testing/index.ts';
import { ToldSince } from './told-since.ts';

const series = { meter: 'm/1', channel: 'import' };
const place = { tenant: 'acme', series, timeZone: 'UTC' };

test('since when a series is told only falls, and each zone begins anew', async () => {
  const told = new ToldSince(new MemoryRegistry());
  expect(await told.of(place)).toBeUndefined();
  await told.lower([{ ...place, sinceMs: 5 }]);
  await told.lower([{ ...place, sinceMs: 9 }]);
  expect(await told.of(place)).toBe(5);
  expect(await told.of({ ...place, timeZone: 'Europe/Zurich' })).toBeUndefined();
  await told.lower([{ ...place, timeZone: 'Europe/Zurich', sinceMs: 7 }]);
  expect(await told.of(place)).toBeUndefined();
  expect(await told.of({ ...place, timeZone: 'Europe/Zurich' })).toBe(7);
});

test('many that lower it at once leave the lowest', async () => {
  const told = new ToldSince(new MemoryRegistry());
  await told.lower([4, 2, 8, 6].map((sinceMs) => ({ ...place, sinceMs })));
  expect(await told.of(place)).toBe(2);
});

test('it is forgotten with the readings of a channel, a meter or a tenant', async () => {
  const told = new ToldSince(new MemoryRegistry());
  const all = ['m/1', 'm2', 'm3'].flatMap((meter) =>
    ['import', 'export'].map((channel) => ({ ...place, series: { meter, channel } })),
  );
  await told.lower(all.map((each) => ({ ...each, sinceMs: 1 })));
  await told.erase('acme', series);
  await told.erase('acme', { meter: 'm2' });
  const left = await Promise.all(all.map((each) => told.of(each)));
  expect(left).toEqual([undefined, 1, undefined, undefined, 1, 1]);
  await told.erase('acme');
  expect(await told.of(all[4] as (typeof all)[0])).toBeUndefined();
});
