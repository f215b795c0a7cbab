import type { Cause, SeriesName } from '@meterflow/readings';

export const resolutions = ['hour', 'day', 'month'] as const;
export type Resolution = (typeof resolutions)[number];

/**
 * What one recomputation of a window gives: `day` sheets hold a local day and each of its hours that has readings,
 * `month` sheets hold the month alone. A sheet is computed, versioned (by the batch's ticket), stored and replaced as
 * one: whoever took the highest ticket read after every write that was announced before it.
 */
export type SheetLevel = 'day' | 'month';

/**
 * Sheets in columns: sheet `i` is of `series[i]`, spans [startMs, endMs), and its rows follow those of sheet `i - 1`,
 * `rows[i]` of them: hours ascending, the whole window last. A sheet with 0 rows withdraws what was there before.
 */
export interface Sheets {
  readonly series: Uint32Array;
  readonly startMs: Float64Array;
  readonly endMs: Float64Array;
  /** Index into `texts`. */
  readonly unit: Uint32Array;
  readonly rows: Uint32Array;
  /**
   * The newest versions among what the sheet was computed from: the provider's own revision, when it was accepted where
   * none was declared, and the activation of the rules. 0 where there is none, or where it is not known.
   */
  readonly declared: Float64Array;
  readonly acceptedAtMs: Float64Array;
  readonly activation: Float64Array;
  /** The ticket of a sheet that was read back among others; 0: the batch's. Not on the wire. */
  readonly ticket: Float64Array;
}

/**
 * Rows in columns. `hour` counts elapsed hours from the sheet's start (0 to 23, on days of a clock change up to 25; 47
 * where a zone moved over the date line), {@link wholeWindow} for the window itself. Sum, least and greatest are
 * integers of 10^-decimals; sum = sumHigh * 10^15 + sumLow, both of one sign. Sums are exact; least and greatest are
 * exact up to 2^53. Beyond, where very large and very fine values meet in one batch, they keep 53 bits, which still say
 * exactly which value of up to 15 significant digits it is: `extremeInteger` tells. (One of 16 is then rounded to 15.)
 */
export interface AggregateRows {
  readonly hour: Uint8Array;
  readonly sumHigh: Float64Array;
  readonly sumLow: Float64Array;
  readonly min: Float64Array;
  readonly max: Float64Array;
  /**
   * How many readings with a value it was computed from: those that are present. 0 where all that came is surplus, in whole
   * windows alone: the row then says nothing but that.
   */
  readonly count: Uint32Array;
  readonly quality: Uint8Array;
  /**
   * When the greatest reading starts (the earliest of equals), in elapsed milliseconds from the row's own start.
   * {@link unknownPeak} where a build wrote the row that did not know of it; `expected` and the counts below then say
   * nothing either.
   */
  readonly peakOffsetMs: Float64Array;
  /** How many intervals of the registered length start in the window. */
  readonly expected: Uint32Array;
  /** Readings with a value that are not summed: of another length, or in a unit that the window's can't be made of. */
  readonly surplus: Uint32Array;
  /** Of `count`, those of each quality; the others are measured. */
  readonly estimated: Uint32Array;
  readonly substituted: Uint32Array;
  readonly calculated: Uint32Array;
  /** Of `count`, those that must not be billed: estimated by no method that is told, or of a code that the tenant names. */
  readonly notBillable: Uint32Array;
  /**
   * Which rows are out of the ordinary, rising. Of all others `expected` is `count` and the counts after it are 0: who
   * carries those columns on need not look at them.
   */
  readonly odd: Uint32Array;
}

/** Counts of a row that are mostly 0: those that are 0 in a whole batch share one column of zeros. */
export const rareCounts = ['surplus', 'estimated', 'substituted', 'calculated', 'notBillable'] as const;
export type RareCount = (typeof rareCounts)[number];

export const unknownPeak = -1;
export const wholeWindow = 255;
export const sumHighUnit = 1e15;

export interface AggregateBatch {
  readonly tenant: string;
  readonly level: SheetLevel;
  readonly ticket: number;
  readonly series: readonly SeriesName[];
  readonly texts: readonly string[];
  readonly decimals: number;
  readonly sheets: Sheets;
  readonly rows: AggregateRows;
  /** The accepted batches whose notices led to this, so that their receipts know. */
  readonly causes: readonly Cause[];
}
