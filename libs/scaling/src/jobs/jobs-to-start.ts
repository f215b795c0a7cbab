/** What is known of the workers of one stage when it is decided how many more are started. */
export interface WorkersView {
  /** Messages that were not acked when the metric was taken, and when that was: minutes ago, as a rule. */
  readonly backlogMessages: number;
  readonly takenAtMs: number;
  /** Messages acked since then, which the metric still counts. Rather too many than too few: what is left shows later. */
  readonly ackedMessages: number;
  /** Jobs that have not finished, those whose pod has not started among them. */
  readonly running: number;
  /** When a worker last ended because it found nothing; undefined where none has. */
  readonly lastIdleAtMs: number | undefined;
}

export interface WorkersTarget {
  /** Messages that one more worker is worth. */
  readonly targetMessages: number;
  readonly jobsMax: number;
}

/**
 * How many Jobs to start, never fewer than none: workers end themselves. A metric that is late tells of messages that were
 * acked long ago, and would start workers for nobody, so these are taken off; and a worker that ended idle has seen that
 * nothing waits, so that no metric from before counts. What came after both shows in the next metrics.
 */
export function jobsToStart(view: WorkersView, { targetMessages, jobsMax }: WorkersTarget): number {
  const isOutdated = view.lastIdleAtMs !== undefined && view.takenAtMs <= view.lastIdleAtMs;
  const waiting = isOutdated ? 0 : Math.max(0, view.backlogMessages - view.ackedMessages);
  return Math.max(0, Math.min(jobsMax, Math.ceil(waiting / targetMessages)) - view.running);
}
