import type { RawColumns } from './isolate-windows.ts';

/** What the host tells of a run of days beside its columns, as JSON. */
export interface ToldFacts {
  readonly meter: string;
  readonly channel: string;
  readonly unit: string;
  readonly intervalMs: number;
  readonly firstDay: number;
  readonly clockShifts: readonly { readonly day: number; readonly atMs: number; readonly minutes: number }[];
  readonly closedThroughMs: number;
  /** All channels that the flow emits on: an emission names one by its place. */
  readonly emits: readonly string[];
  /** What the registry says, each once; days name theirs by its place. */
  readonly tags: readonly Readonly<Record<string, unknown>>[];
  /** How many local days the columns tell of, and how many of them are run. */
  readonly localDays: number;
  readonly runDays: number;
  readonly windows: readonly {
    readonly channel: string;
    readonly intervalMs: number;
    /** How many there are on all the days. */
    readonly slots: number;
    readonly registers: number;
  }[];
}

/** The same with what stands in columns: start of each local day, and the end of the last; the days that are run, five words each. */
export interface RunFacts extends ToldFacts {
  readonly startMs: Float64Array;
  readonly days: Uint32Array;
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
