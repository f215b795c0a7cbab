import type { Layer, ReadingBatch, ReadingColumns } from '@meterflow/readings';
import type { OutcomeCounts } from './outcome.ts';

export interface ReadingWrite {
  /** The key of the batch. */
  readonly key: string;
  readonly batch: ReadingBatch;
}

export interface SeriesLayer {
  readonly tenant: string;
  readonly meter: string;
  readonly channel: string;
  readonly layer: Layer;
}

export interface SeriesDays extends SeriesLayer {
  /** Readings whose start lies in [fromMs, toMs). */
  readonly fromMs: number;
  readonly toMs: number;
}

/** The latest readings of a series within a UTC day, sorted by start, then length. Spans all point to series 0. */
export interface Segment {
  /** Days since 1970-01-01 UTC. */
  readonly day: number;
  readonly columns: ReadingColumns;
}

/**
 * Keeps the latest version of every reading, and what it superseded. Writes commute: in whatever order, grouping and
 * repetition batches arrive, the state that is left is the same.
 */
export interface ReadingStore {
  /**
   * Merges each batch by `compareReadings`, appends superseded values to the history and writes the ledger row of each
   * batch, in one transaction; resolves when it is durable. Batches may be of several tenants, all of one layer.
   * Throws TransientError when the store is down or full (nothing is written), PermanentError for a batch that it can
   * never take.
   */
  write(writes: readonly ReadingWrite[]): Promise<readonly OutcomeCounts[]>;
  /** The latest readings, day by day, ascending. Readings withdrawn are there with quality missing. */
  read(days: SeriesDays): Promise<readonly Segment[]>;
  /** The start of the first reading that is stored of a series, withdrawn ones among them; undefined for none. */
  firstMs(series: SeriesLayer): Promise<number | undefined>;
}
