import { outcomes, type OutcomeCounts, type ReadingStore, type ReadingWrite } from '@meterflow/idempotent-writes';
import type { Layer } from '@meterflow/readings';
import type { Sink, Telemetry } from '@meterflow/stage';
import type { Promises } from './promises.ts';

export interface CountedReadingsOptions {
  readonly layer: Layer;
  readonly telemetry: Telemetry;
  readonly promises: Pick<Promises, 'withinMs'>;
  readonly nowMs: () => number;
}

/**
 * A store of readings as a stage's sink, which counts what became of them, and whether the promise was kept: readings
 * that were not there before are queryable by now, so long after their acceptance.
 */
export function countedReadings(
  store: Pick<ReadingStore, 'write'>,
  options: CountedReadingsOptions,
): Sink<ReadingWrite> {
  return {
    write: async (writes) => {
      const results = await store.write(writes);
      const nowMs = options.nowMs();
      writes.forEach(({ batch }, index) => {
        const counts = results[index];
        if (counts !== undefined) {
          count(options, counts, { tenant: batch.tenant, ageMs: Math.max(0, nowMs - batch.acceptedAtMs) });
        }
      });
    },
  };
}

function count(
  { layer, telemetry, promises }: CountedReadingsOptions,
  counts: OutcomeCounts,
  { tenant, ageMs }: { readonly tenant: string; readonly ageMs: number },
): void {
  for (const outcome of outcomes) {
    if (counts[outcome] > 0) {
      telemetry.count('persistence_readings_stored_total', counts[outcome], { layer, outcome });
    }
  }
  // A correction, a replay or a repetition is about readings that could be queried before.
  if (counts.inserted > 0) {
    const inTime = String(ageMs <= promises.withinMs(tenant));
    telemetry.count('persistence_readings_queryable_total', counts.inserted, { tenant, layer, inTime });
    telemetry.observe('persistence_until_queryable_ms', ageMs, { layer });
  }
}
