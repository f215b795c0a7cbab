import type { ErasablePlaces, StoredDays } from '@meterflow/service';
import type { EmbeddedPlatform } from '../open-platform.ts';
import { droppedFiles, removeDroppedFiles } from './dropped-files.ts';

/** The days of a data directory that hold validated readings, series by series, ascending. */
export function storedDays(platform: EmbeddedPlatform): StoredDays {
  return function* ({ tenant, series }) {
    for (const found of platform.readings('validated').segments({ tenant, ...series })) {
      yield { series: found.series, day: found.segment.day };
    }
  };
}

/** Where readings of a household may be on a data directory. SQL reads the stores, and so has nothing of its own. */
export function erasablePlaces(platform: EmbeddedPlatform): ErasablePlaces {
  const { registry, tickets, aggregates, contributions, sources, deadLetters, uploads, directory, bus } = platform;
  return {
    ...{ registry, tickets, aggregates, contributions, sources, deadLetters, uploads },
    readings: (layer) => platform.readings(layer),
    storedDays: storedDays(platform),
    kept: (tenant) => Promise.resolve(bus.kept(tenant)),
    droppedFiles: {
      remove: (tenant) => removeDroppedFiles(directory, tenant),
      count: async (tenant) => (await droppedFiles(directory, tenant)).length,
    },
  };
}
