import type { AggregateBatch, SheetLevel } from '@meterflow/aggregates';
import type { OutcomeCounts } from './outcome.ts';

export interface AggregateWrite {
  readonly key: string;
  readonly batch: AggregateBatch;
}

export interface SeriesSheets {
  readonly tenant: string;
  readonly meter: string;
  readonly channel: string;
  readonly level: SheetLevel;
  /** Sheets whose start lies in [fromMs, toMs). */
  readonly fromMs: number;
  readonly toMs: number;
  /** `whole`: of each sheet the row of its whole window alone, which is all that its parents need; `all` unless told. */
  readonly rows?: SheetRows;
}

export type SheetRows = 'all' | 'whole';

/**
 * Keeps, of each sheet, the one with the highest ticket. A store may have one place for all that start in one half of a UTC
 * day, since no time zone has two there: of one ticket it then keeps the one that has rows.
 */
export interface AggregateStore {
  /**
   * Replaces each sheet whose ticket is lower, in one transaction with the ledger rows of every cause (layers hour and
   * day for day sheets, month for month sheets). A sheet that says the same raises the stored ticket and counts as
   * duplicates. Counts are windows: each hour, day or month one.
   */
  write(writes: readonly AggregateWrite[]): Promise<readonly OutcomeCounts[]>;
  /** One batch with the series' sheets, ascending; `ticket` is the highest of them and `causes` empty. */
  read(sheets: SeriesSheets): Promise<AggregateBatch>;
}
