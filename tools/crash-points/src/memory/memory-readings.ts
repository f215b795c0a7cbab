import { readingsOnRows, type MemoryRows } from '@meterflow/bigtable/memory';
import type { LedgerLayer, OutcomeCounts, ReadingStore } from '@meterflow/idempotent-writes';
import type { Cause, Layer } from '@meterflow/readings';
import type { MemoryLedger } from './memory-ledger.ts';

interface LedgerRow {
  readonly cause: Cause;
  readonly layer: LedgerLayer;
  readonly writeKey: string;
  readonly counts: OutcomeCounts;
}

/** One layer's readings as production keeps them, in rows of segments that readers merge; the rows are in memory. */
export function memoryReadings(rows: MemoryRows, layer: Layer, ledger: MemoryLedger): ReadingStore {
  return readingsOnRows(rows, layer, {
    addStored: (added: readonly LedgerRow[]) =>
      Promise.resolve(added.map((row) => ledger.addWritten(row.cause, row.layer, row))),
  });
}
