import type { ReadingBatch } from '@meterflow/readings';
import type { ParameterValue } from './flow.ts';
import type { FlowResult } from './sandbox.ts';

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

/** One local day of a series, and all that a flow may look at beside it. */
export interface SeriesRun {
  /** The day's slots in order, a gap as a reading of quality missing, then its register readings: all of one series. */
  readonly batch: ReadingBatch;
  /** How many readings of the batch are slots. */
  readonly slots: number;
  readonly unit: string;
  readonly intervalMs: number;
  /** Which of the days it is. */
  readonly day: number;
  /** Number of the first day, counted from 1970-01-01 by local dates; the others follow it. */
  readonly firstDay: number;
  /** Start of each day, and the end of the last. */
  readonly startMs: Float64Array;
  readonly clockShifts: readonly ClockShift[];
  /** Days that end here or before are closed. */
  readonly closedThroughMs: number;
  readonly tags: Readonly<Record<string, ParameterValue>>;
  /** The series' own window first, then those of the channels that the flow reads. */
  readonly windows: readonly RawWindow[];
}

/**
 * What a flow did to a day: as for a batch, and the readings that it made on other channels. These follow those of the
 * batch in all columns: reading `count + i` is the i-th of `emitted`.
 */
export interface SeriesResult extends FlowResult {
  readonly emitted: {
    /** Index into the channels that the flow's rules emit on, see {@link emitsOf}. */
    readonly channel: Uint32Array;
    readonly startMs: Float64Array;
    readonly lengthMs: Uint32Array;
  };
}
