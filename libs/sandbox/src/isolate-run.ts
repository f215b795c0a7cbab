import type { RawColumns } from './isolate-windows.ts';

/** What the host tells of a run of days beside its columns. */
export interface RunFacts {
  readonly meter: string;
  readonly channel: string;
  readonly unit: string;
  readonly intervalMs: number;
  readonly firstDay: number;
  readonly startMs: readonly number[];
  readonly clockShifts: readonly { readonly day: number; readonly atMs: number; readonly minutes: number }[];
  readonly closedThroughMs: number;
  /** All channels that the flow emits on: an emission names one by its place. */
  readonly emits: readonly string[];
  /** What the registry says, each once; days name theirs by its place. */
  readonly tags: readonly Readonly<Record<string, unknown>>[];
  readonly days: readonly ToldDay[];
  readonly windows: readonly {
    readonly channel: string;
    readonly intervalMs: number;
    readonly slotsFrom: readonly number[];
    readonly registersFrom: readonly number[];
  }[];
}

/** One of the days that are run, and how much of the columns is its own. */
export interface ToldDay {
  readonly day: number;
  readonly slots: number;
  readonly registers: number;
  readonly spans: number;
  readonly tags: number;
}

/** The raw columns of one window. */
export interface WindowColumns {
  readonly slots: RawColumns;
  readonly registers: RawColumns;
}

/** What one step may look at. */
export interface DayNeeds {
  readonly reads: readonly string[];
  readonly emits: readonly string[];
  readonly lookBackDays: number;
  readonly lookAheadDays: number;
  readonly tags: readonly string[];
}
