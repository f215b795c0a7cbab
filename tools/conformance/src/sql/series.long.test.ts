import { describe, expect, test } from 'vitest';
import { Pipeline } from '../pipeline.ts';
import { changingZones } from './changing-zones.ts';
import { SeriesWorld } from './series-world.ts';
import { hasSwissReadings, swissSource } from './swiss-source.ts';

const timeout = 1_200_000;

describe.skipIf(!hasSwissReadings)('hours, local days, months and years of all Swiss households [needs shared]', () => {
  test.each(changingZones)('are what SQL finds in the rows, over both changes of $zone', { timeout }, async (zone) => {
    const world = await SeriesWorld.open((connection) =>
      swissSource(connection, { zones: [zone], householdsMax: 10_000 }),
    );
    const pipeline = await Pipeline.start();
    try {
      expect(await world.row('select count(*)::integer from source')).toEqual([2_526_048]);
      const files = [0, 1].map((half) => ({
        label: `half-${half}`,
        query: `from source where start_ms // 86400000 % 2 = ${half} order by meter, start_ms`,
      }));
      expect(await world.differences(pipeline, 'default-swiss', files)).toEqual([]);
    } finally {
      await pipeline.stop();
      await world.close();
    }
  });
});
