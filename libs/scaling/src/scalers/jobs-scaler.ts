import type { Scaler, ScalerView } from './scaler.ts';

export interface JobsScalerOptions {
  /** Readings that one more worker is worth. */
  readonly targetBacklog: number;
  readonly jobsMax: number;
  /** How long a worker waits for more before it ends itself. */
  readonly idleSeconds: number;
  readonly periodSeconds?: number;
}

/**
 * Jobs: up only, by what waits, and nothing outside ever ends a busy one. Each worker ends when it had nothing for a
 * while; in this model all of them do so together. A worker that ended so has seen that nothing waits: what a late metric
 * tells of the time before starts nobody.
 */
export class JobsScaler implements Scaler {
  readonly periodSeconds: number;
  readonly replicasAtStart = 0;
  readonly #options: JobsScalerOptions;
  #idleSinceSecond: number | undefined;
  #emptyAtSecond = -1;

  constructor(options: JobsScalerOptions) {
    this.periodSeconds = options.periodSeconds ?? 10;
    this.#options = options;
  }

  decide({ second, backlog, metricsSecond, replicas, readyReplicas, settledPerSecond }: ScalerView): number {
    const { targetBacklog, jobsMax, idleSeconds } = this.#options;
    const idle = readyReplicas > 0 && settledPerSecond === 0;
    this.#idleSinceSecond = idle ? (this.#idleSinceSecond ?? second - this.periodSeconds) : undefined;
    if (this.#idleSinceSecond !== undefined && second - this.#idleSinceSecond >= idleSeconds) {
      this.#emptyAtSecond = second;
      this.#idleSinceSecond = undefined;
      return 0;
    }
    const waiting = metricsSecond > this.#emptyAtSecond ? backlog : 0;
    return Math.max(replicas, Math.min(jobsMax, Math.ceil(waiting / targetBacklog)));
  }
}
