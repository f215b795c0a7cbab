import { ClosedDaysRegistry, SeriesRegistry } from '@meterflow/registry';
import { MemoryRegistry } from '@meterflow/registry/testing';
import { expect, test } from 'vitest';
import { KnownSeries } from './known-series.ts';
import type { StoredSpan } from './reprocess/told-days.ts';

const dayMs = 86_400_000;

function setUp() {
  const registry = new MemoryRegistry();
  const settings = new SeriesRegistry({ registry, nowMs: () => 250 * dayMs + 1, cacheMs: 0 });
  const closedDays = new ClosedDaysRegistry(registry);
  const known = new KnownSeries({
    stored: {
      series: () => ['M1', 'M3'].map((meter) => ({ meter, channel: 'import' })),
      spans: (_, { meter }) =>
        meter === 'M1'
          ? [
              { fromDay: 200, toDay: 210 },
              { fromDay: 240, toDay: 262 },
            ]
          : [],
    },
    raw: { firstMs: ({ meter }) => Promise.resolve(meter === 'M1' ? 200 * dayMs + 1 : undefined) },
    ...{ settings, closedDays },
  });
  const spans = async (meter: string): Promise<StoredSpan[]> =>
    Array.fromAsync(known.spans('acme', { meter, channel: 'import' }));
  return { known, settings, closedDays, spans };
}

test('what is registered stands among what is stored, each once, in order', async () => {
  const { known, settings } = setUp();
  for (const meter of ['Z', 'M2', 'M3', 'A/1']) {
    await settings.set('acme', { meter, channel: 'import' }, {});
  }
  await settings.set('other', { meter: 'B', channel: 'import' }, {});
  const series = await Array.fromAsync(known.series('acme'));
  expect(series.map(({ meter }) => meter)).toEqual(['A/1', 'M1', 'M2', 'M3', 'Z']);
});

test('days of which nothing came are told where days were closed, from the first that readings were expected of', async () => {
  const { settings, closedDays, spans } = setUp();
  await settings.set('acme', { meter: 'M2', channel: 'import' }, {});
  expect(await spans('M1')).toHaveLength(2);
  expect(await spans('M2')).toEqual([]);
  await closedDays.raise('acme', 'UTC', { closedThroughMs: 255 * dayMs });
  // Nobody had a rule yet that looks at whole days.
  expect(await spans('M2')).toEqual([]);
  await closedDays.raise('acme', 'UTC', { publishedThroughMs: 255 * dayMs });
  expect(await spans('M1')).toEqual([
    { fromDay: 200, toDay: 255 },
    { fromDay: 255, toDay: 262 },
  ]);
  expect(await spans('M2')).toEqual([{ fromDay: 250, toDay: 255 }]);
  await settings.set('acme', { meter: 'M2', channel: 'import' }, { sinceMs: 230 * dayMs + 5 });
  expect(await spans('M2')).toEqual([{ fromDay: 230, toDay: 255 }]);
  await closedDays.raise('acme', 'UTC', { closedThroughMs: 300 * dayMs });
  expect(await spans('M1')).toEqual([{ fromDay: 200, toDay: 300 }]);
});
