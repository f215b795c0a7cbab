import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Pipeline } from '../pipeline.ts';
import type { BroughtFile } from './brought-source.ts';
import { changingZones } from './changing-zones.ts';
import { generateSource, kinds } from './generated-source.ts';
import { SeriesWorld } from './series-world.ts';
import { hasSwissReadings, swissSource } from './swiss-source.ts';

const minuteMs = 60_000;

let pipeline: Pipeline;
beforeAll(async () => {
  pipeline = await Pipeline.start();
}, minuteMs);
afterAll(() => pipeline.stop());

describe('hours, local days, months and years of generated series', () => {
  let world: SeriesWorld;
  beforeAll(async () => {
    world = await SeriesWorld.open(generateSource);
  }, minuteMs);
  afterAll(() => world.close());

  const place = 'hash(meter, start_ms, length_ms, version)';
  const declared = (label: string, where: string, order: string): BroughtFile => ({
    label,
    query: `from source where version > 0 and ${where} order by ${order}`,
  });
  /** Rows without a version count by when they come: one file after the other. */
  const undeclared = [1, 2, 3, 4].map((arrival) => ({
    label: `undeclared-${arrival}`,
    query: `from source where version = 0 and arrival = ${arrival} order by ${place}`,
  }));
  const orders = [
    { order: 'series by series', files: [declared('all', 'true', 'meter, start_ms, length_ms, version')] },
    {
      order: 'shuffled, much of it twice',
      files: [0, 1, 2, 3].map((file) =>
        declared(`part-${file}`, `(${place} % 4 = ${file} or ${place} % 5 = ${file})`, `hash(${place}, ${file})`),
      ),
    },
    {
      order: 'newest version first',
      files: [4, 3, 2, 1].map((version) =>
        declared(`version-${version}`, `version = ${version}`, 'start_ms desc, meter'),
      ),
    },
  ];

  test.each(orders.map((brought, index) => ({ ...brought, tenant: `order-${index}` })))(
    'are what SQL finds in the rows, brought $order',
    { timeout: 2 * minuteMs },
    async ({ files, tenant }) => {
      expect(await world.differences(pipeline, tenant, [...files, ...undeclared])).toEqual([]);
    },
  );

  test('have in them all that is to be shown', async () => {
    const [meters, days, ...facts] = await world.row(`
      select count(distinct meter)::integer,
             list_sort(list(distinct (to_ms - from_ms) / 3600000) filter (resolution = 'day'))::varchar,
             bool_or(quality = 'measured'), bool_or(missing > 0), bool_or(surplus > 0), bool_or(calculated > 0),
             bool_or(not_billable > estimated), bool_or("sum" > 9007199254), bool_or("sum" < 0)
      from theirs`);
    expect(meters).toBe(changingZones.length * kinds.length);
    expect(days).toBe('[23.0, 23.5, 24.0, 24.5, 25.0]');
    expect(facts).not.toContain(false);
  });
});

describe.skipIf(!hasSwissReadings)('those of some Swiss households [needs shared]', () => {
  test(
    'are what SQL finds in the rows, in five zones over both changes of their clocks',
    { timeout: 2 * minuteMs },
    async () => {
      const world = await SeriesWorld.open((connection) =>
        swissSource(connection, { zones: changingZones, householdsMax: 2 * changingZones.length }),
      );
      try {
        const files = [{ label: 'all', query: 'from source order by start_ms, meter' }];
        expect(await world.differences(pipeline, 'swiss', files)).toEqual([]);
      } finally {
        await world.close();
      }
    },
  );
});
