import { BatchBuilder, type ReadingBatch } from '@meterflow/readings';

/** A batch without readings. Running it in a sandbox loads a flow and shows whether it can be run at all. */
export function emptyBatch(tenant: string): ReadingBatch {
  return new BatchBuilder(0).finish({ tenant, layer: 'raw', sourceId: '', acceptedAtMs: 0, activation: 0 });
}
