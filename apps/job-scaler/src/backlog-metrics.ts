/** What the metrics tell of one stage. */
export interface MeasuredBacklog {
  /** Messages that were not acked, over all subscriptions of the stage. */
  readonly messages: number;
  /** When that was so, at the latest. */
  readonly takenAtMs: number;
  /** Messages acked since then, or a few more. */
  readonly ackedMessages: number;
}

/** How a stage's two metrics are asked for, in the words of whoever answers. */
export interface BacklogQueries {
  readonly backlog: string;
  readonly acked: string;
}

/**
 * Where backlogs are read: once a pass for each stage, one call at a time. Rejects where the metrics can't be had, or are
 * no numbers: then nobody is started.
 */
export interface BacklogMetrics {
  read(queries: BacklogQueries): Promise<MeasuredBacklog>;
}
