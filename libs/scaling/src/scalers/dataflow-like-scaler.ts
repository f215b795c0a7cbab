import type { Scaler, ScalerView } from './scaler.ts';

export interface DataflowLikeOptions {
  readonly workersMin: number;
  readonly workersMax: number;
  /** Readings that one worker settles in a second. */
  readonly readingsPerWorkerSecond: number;
}

/** Seconds of work that wait before it goes up, and below which it may go down; how long either must last. */
const backlogSecondsUp = 15;
const backlogSecondsDown = 10;
const lastingSeconds = 120;
/** It adds as many workers as settle what waits within this time. */
const clearSeconds = 150;
const utilizationDown = 0.8;
const utilizationTarget = 0.75;

/**
 * A managed service's scaling of streaming jobs in outline, after what Google documents of Dataflow's: by seconds of
 * backlog that last for minutes, and by use. The real one is not public; the shape (slow up, slower down, never to none)
 * is what counts in a comparison.
 */
export class DataflowLikeScaler implements Scaler {
  readonly periodSeconds = 30;
  readonly replicasAtStart: number;
  readonly #options: DataflowLikeOptions;
  #highSinceSecond: number | undefined;
  #lowSinceSecond: number | undefined;

  constructor(options: DataflowLikeOptions) {
    this.#options = options;
    this.replicasAtStart = options.workersMin;
  }

  decide(view: ScalerView): number {
    const { readingsPerWorkerSecond: rate } = this.#options;
    const backlogSeconds = view.backlog / (Math.max(1, view.readyReplicas) * rate);
    const low = backlogSeconds < backlogSecondsDown && view.utilization < utilizationDown;
    this.#highSinceSecond = backlogSeconds > backlogSecondsUp ? (this.#highSinceSecond ?? view.second) : undefined;
    this.#lowSinceSecond = low ? (this.#lowSinceSecond ?? view.second) : undefined;
    if (lasts(this.#highSinceSecond, view.second)) {
      this.#highSinceSecond = undefined;
      return this.#bounded(
        Math.max(view.replicas, Math.ceil((view.backlog / clearSeconds + view.arrivedPerSecond) / rate)),
      );
    }
    if (lasts(this.#lowSinceSecond, view.second)) {
      this.#lowSinceSecond = undefined;
      return this.#bounded(Math.min(view.replicas, Math.ceil(view.arrivedPerSecond / (rate * utilizationTarget))));
    }
    return this.#bounded(view.replicas);
  }

  #bounded(workers: number): number {
    return Math.min(this.#options.workersMax, Math.max(this.#options.workersMin, workers));
  }
}

function lasts(sinceSecond: number | undefined, second: number): boolean {
  return sinceSecond !== undefined && second - sinceSecond >= lastingSeconds;
}
