import { Problem } from '@meterflow/http';
import type { KnownBy } from '@meterflow/idempotent-writes';
import { utcText } from '@meterflow/readings';
import type { ControlPorts } from '../ports.ts';
import { dayMs } from '../query-span.ts';

export type ReadingsAsOfPorts = Pick<ControlPorts, 'history' | 'nowMs' | 'readingsRetentionMs'>;

/** A reading is in the local day that it starts in; nowhere is a day further from its UTC day. */
const zoneReachMs = 2 * dayMs;

/**
 * The readings as they were known, for whoever computes something of them: where they are not kept any more that would be a
 * wrong sum, and is Problem `unprocessable-content`.
 */
export function readingsAsOf(
  { history, nowMs, readingsRetentionMs }: ReadingsAsOfPorts,
  known: KnownBy,
): Pick<ControlPorts, 'readings'> {
  return {
    readings: (layer) => ({
      read: async (days) => {
        const keptFromMs = nowMs() - readingsRetentionMs + zoneReachMs;
        if (days.fromMs < days.toMs && days.fromMs < keptFromMs) {
          const detail = `readings are kept from ${utcText(keptFromMs)} on: of windows before, what was known earlier can not be computed`;
          throw new Problem('unprocessable-content', detail);
        }
        return history(layer).asOf(days, known);
      },
    }),
  };
}
