import type { ReadingBatch } from '@meterflow/readings';
import type { DayResult, Flow, SeriesRun } from '@meterflow/rules';

/** A run that waits for its result. */
export interface RunJob {
  readonly id: number;
  /** Names tenant and flow: one isolate each. */
  readonly flowKey: string;
  readonly flow: Flow;
  readonly batch: ReadingBatch;
  /** There where the batch holds local days. */
  readonly days?: SeriesRun;
  /** How often a child died, for no reason that we know, while it had this batch. */
  unexplainedDeaths: number;
  /** How often its child asked for what it lacked. */
  resends: number;
  /** The step that a traced run was in last; -1 before the first. */
  lastStep: number;
  /** One result of a batch, or one for each day. */
  resolve: (results: readonly DayResult[]) => void;
  reject: (error: Error) => void;
}
