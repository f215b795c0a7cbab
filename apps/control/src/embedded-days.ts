import type { EmbeddedPlatform } from '@meterflow/embedded';
import type { StoredDays } from './recompute-desk.ts';

/** The days of a data directory that hold validated readings. */
export function embeddedDays(platform: EmbeddedPlatform): StoredDays {
  return function* ({ tenant, series }) {
    for (const found of platform.readings('validated').segments({ tenant, ...series })) {
      yield { series: found.series, day: found.segment.day };
    }
  };
}
