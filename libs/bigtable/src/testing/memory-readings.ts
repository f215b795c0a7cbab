import type { ReadingStore } from '@meterflow/idempotent-writes';
import type { Layer } from '@meterflow/readings';
import { BigtableReadingStore } from '../readings/reading-store.ts';
import type { ReadingWriterParts } from '../readings/reading-writer.ts';
import { Tombstones } from '../rows/tombstones.ts';
import { tables } from '../schema.ts';
import type { MemoryRows } from './memory-rows.ts';

export { compactReadings } from '../readings/compact.ts';
export { MemoryRows } from './memory-rows.ts';

/** The store of one layer's readings as production has it, on rows in memory. */
export function readingsOnRows(rows: MemoryRows, layer: Layer, ledger: ReadingWriterParts['ledger']): ReadingStore {
  const tombstones = new Tombstones(tables.readings.tombstones);
  return new BigtableReadingStore({ table: rows, layer, ledger, tombstones });
}
