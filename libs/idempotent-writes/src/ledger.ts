import type { OutcomeCounts } from './outcome.ts';

/** What a ledger row speaks of: a layer of readings or a resolution of aggregates. */
export const ledgerLayers = ['raw', 'validated', 'hour', 'day', 'month'] as const;
export type LedgerLayer = (typeof ledgerLayers)[number];

/** What the ledger holds for one source, summed. */
export interface LedgerSummary {
  readonly layer: LedgerLayer;
  /** Accepted batches of which every part has a row of state `stored`. */
  readonly batchesStored: number;
  readonly batchesDead: number;
  readonly batchesParked: number;
  readonly counts: OutcomeCounts;
  /** When the newest of the rows was written; absent where the store does not keep it. */
  readonly lastAtMs?: number;
}

/**
 * Read side of the ledger; rows are written by the stores, in the transaction of the write that they tell of: one for
 * each (source, key of the accepted batch, part, layer). A row that says `dead` or `parked` is replaced by a later
 * outcome; `stored` stands: the first one wins.
 */
export interface Ledger {
  summary(sourceId: string): Promise<readonly LedgerSummary[]>;
}
