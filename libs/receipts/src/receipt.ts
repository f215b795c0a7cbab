/** One line that was not taken, and why. */
export interface Reject {
  readonly line: number;
  /** The column's name or number; empty where the whole line is meant. */
  readonly column: string;
  /** Stable: `invalid-value`, `off-grid`, … */
  readonly code: string;
  readonly reason: string;
  /** The line as it came, cut to {@link rejectTextCharsMax} characters. */
  readonly text: string;
}

/** What was noticed about one line that was taken: `repeated`, `gap`. `text` names the series. */
export type Remark = Reject;

/** Within one source; what others brought before is told by the outcomes. */
export interface RemarkCounts {
  /** Readings that the source brings once more. */
  readonly repeated: number;
  /** Holes between readings of a series, and the readings that would fill them. */
  readonly gaps: number;
  readonly missing: number;
  /** Readings whose interval length nothing told: they count as 15 minutes. */
  readonly assumed: number;
}

export const noRemarks: RemarkCounts = { repeated: 0, gaps: 0, missing: 0, assumed: 0 };

/**
 * `receiving`: its lines still come in. `processing`: all are on the bus. `complete`: every reading of it is stored and
 * aggregated, or is a dead letter or parked.
 */
export type SourceState = 'receiving' | 'processing' | 'complete';

/**
 * What became of one source. accepted = inserted + superseded + shadowed + duplicates + conflicts, once it is complete
 * and none of it is dead or parked. `aggregatesWritten` counts hours, days and months that are new or changed.
 */
export interface Receipt extends RemarkCounts {
  readonly sourceId: string;
  readonly tenant: string;
  readonly label: string;
  readonly state: SourceState;
  readonly acceptedAt: string;
  readonly received: number;
  readonly accepted: number;
  readonly rejected: number;
  /** How many of them the list has: all, up to {@link rejectsKeptMax}. */
  readonly rejectsListed: number;
  /** The first rejects. */
  readonly rejects: readonly Reject[];
  /** The first remarks; more are in the list. */
  readonly remarks: readonly Remark[];
  readonly duplicates: number;
  readonly inserted: number;
  readonly superseded: number;
  readonly shadowed: number;
  readonly conflicts: number;
  readonly aggregatesWritten: number;
  readonly batches: number;
  readonly batchesDead: number;
  readonly batchesParked: number;
  /** From acceptance to the last ledger row (or until now). */
  readonly seconds: number;
}

/** How many rejects, and how many remarks, a receipt itself shows. */
export const rejectsShownMax = 20;

/** How many rejects of one source are in its list: the first ones. All are counted. */
export const rejectsKeptMax = 1_000_000;

/** How much of a rejected line is kept: enough to find it, and no more of a household's readings than that needs. */
export const rejectTextCharsMax = 200;
