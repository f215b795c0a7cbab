import type { ReadingBatch } from '@meterflow/readings';
import type { ParameterValue } from './flow.ts';
import { RuleFailureError, type FlowResult } from './sandbox.ts';

/** More slots and register readings than this are not shown to one run of a rule: it looks back too far. */
export const windowReadingsMax = 400_000;

/** The raw readings of one channel on the local days that a run may look at. A gap has the value NaN. */
export interface RawWindow {
  readonly channel: string;
  readonly intervalMs: number;
  /** Slots of day i are those from slotsFrom[i] up to slotsFrom[i + 1]. */
  readonly slotsFrom: Uint32Array;
  readonly values: Float64Array;
  readonly quality: Uint8Array;
  /** Index into the texts of the day's batch. */
  readonly unit: Uint16Array;
  /** Register readings of day i, likewise. */
  readonly registersFrom: Uint32Array;
  readonly registerStartMs: Float64Array;
  readonly registerValues: Float64Array;
  readonly registerQuality: Uint8Array;
  readonly registerUnit: Uint16Array;
}

/** What the clock on the wall does within a day: from `atMs` on it shows so many minutes more than have passed since midnight. */
export interface ClockShift {
  readonly day: number;
  readonly atMs: number;
  readonly minutes: number;
}

/** One of the days that are run. */
export interface RunDay {
  /** Which of the run's local days it is. */
  readonly day: number;
  /** How many readings of the batch are its slots, how many its register readings, and in how many spans both lie. */
  readonly slots: number;
  readonly registers: number;
  readonly spans: number;
  readonly tags: Readonly<Record<string, ParameterValue>>;
}

/**
 * Local days of one series that are run together, each as by itself, and all that a flow may look at beside them. What
 * they look at is there once for all of them.
 */
export interface SeriesRun {
  /**
   * Day by day the slots in order, a gap as a reading of quality missing, then the register readings: all of one series.
   * The spans of a day are its own.
   */
  readonly batch: ReadingBatch;
  /** Ascending. */
  readonly days: readonly RunDay[];
  readonly unit: string;
  readonly intervalMs: number;
  /** Number of the first local day, counted from 1970-01-01 by local dates; the others follow it. */
  readonly firstDay: number;
  /** Start of each day, and the end of the last. */
  readonly startMs: Float64Array;
  readonly clockShifts: readonly ClockShift[];
  /** Days that end here or before are closed. */
  readonly closedThroughMs: number;
  /** The series' own window first, then those of the channels that the flow reads. */
  readonly windows: readonly RawWindow[];
}

/**
 * What a flow did to a day: as for a batch, and the readings that it made on other channels. These follow those of the
 * day in all columns: reading `count + i` is the i-th of `emitted`.
 */
export interface SeriesResult extends FlowResult {
  readonly emitted: Emissions;
}

/** What became of one of the days of a run: an error where the day failed as a whole. */
export type DayResult = SeriesResult | RuleFailureError;

/** The only day's result, or that of one of them. Throws where it failed. */
export function resultOfDay(results: readonly DayResult[], place = 0): SeriesResult {
  const result = results[place];
  if (result === undefined || result instanceof RuleFailureError) {
    throw result ?? new RangeError(`a sandbox gave ${results.length} days`);
  }
  return result;
}

/** Readings that a day's rules made on other channels. */
export interface Emissions {
  /** Index into the channels that the flow's rules emit on, see {@link emitsOf}. */
  readonly channel: Uint32Array;
  readonly startMs: Float64Array;
  readonly lengthMs: Uint32Array;
}

export const nothingEmitted: Emissions = {
  channel: new Uint32Array(),
  startMs: new Float64Array(),
  lengthMs: new Uint32Array(),
};
