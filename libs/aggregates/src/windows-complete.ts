import type { SeriesName } from '@meterflow/readings';

/** `whole`: nothing that is expected is missing. `closed`: something is, and it is no longer waited for. */
export const completeReasons = ['whole', 'closed'] as const;
export type CompleteReason = (typeof completeReasons)[number];

/**
 * Says of local days that their validated readings are whole, or that the day is closed. In columns: row `i` is of
 * `series[index[i]]` and tells of the day [startMs, endMs). The ticket is the version of the day's aggregate: of two rows of
 * one day the higher ticket counts, and 0 stands for a day that has no aggregate.
 */
export interface WindowsComplete {
  readonly tenant: string;
  readonly series: readonly SeriesName[];
  readonly index: Uint32Array;
  readonly startMs: Float64Array;
  readonly endMs: Float64Array;
  readonly ticket: Float64Array;
  /** Index into {@link completeReasons}. */
  readonly reason: Uint8Array;
  /** Of the day's aggregate: readings that are summed, and those that were to come; 0 where that is not known. */
  readonly count: Uint32Array;
  readonly expected: Uint32Array;
}
