import type { Cause, Touched } from '@meterflow/readings';
import type { SheetLevel } from './aggregate-batch.ts';

/** Says that sheets of a level are stored, so that their parents (months of days) are computed anew. */
export interface AggregatesStored {
  readonly tenant: string;
  readonly level: SheetLevel;
  /** The key of the aggregate batch that was stored. */
  readonly key: string;
  readonly causes: readonly Cause[];
  readonly touched: Touched;
}
