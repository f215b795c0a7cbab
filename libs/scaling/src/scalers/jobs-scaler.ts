import { jobsToStart } from '../jobs/jobs-to-start.ts';
import type { Scaler, ScalerView } from './scaler.ts';

export interface JobsScalerOptions {
  /** Readings that one more worker is worth. */
  readonly targetBacklog: number;
  readonly jobsMax: number;
  /** How long a worker waits for more before it ends itself. */
  readonly idleSeconds: number;
  readonly periodSeconds?: number;
}

const msPerSecond = 1_000;

/**
 * Jobs as `apps/job-scaler` starts them: up only, by what waits, and nothing outside ever ends a busy one. Each worker ends
 * when it had nothing for a while; in this model all of them do so together.
 */
export class JobsScaler implements Scaler {
  readonly periodSeconds: number;
  readonly replicasAtStart = 0;
  readonly #options: JobsScalerOptions;
  /** What was acked until each second at which it was asked; no older than the metrics. */
  #acked: { readonly second: number; readonly sum: number }[] = [{ second: 0, sum: 0 }];
  #idleSinceSecond: number | undefined;
  #lastIdleSecond: number | undefined;

  constructor(options: JobsScalerOptions) {
    this.periodSeconds = options.periodSeconds ?? 10;
    this.#options = options;
  }

  decide({ second, backlog, metricsSecond, replicas, readyReplicas, settledPerSecond }: ScalerView): number {
    const { targetBacklog, jobsMax, idleSeconds } = this.#options;
    const ackedMessages = this.#ackedSince(metricsSecond, { second, settled: settledPerSecond * this.periodSeconds });
    const idle = readyReplicas > 0 && settledPerSecond === 0;
    this.#idleSinceSecond = idle ? (this.#idleSinceSecond ?? second - this.periodSeconds) : undefined;
    if (this.#idleSinceSecond !== undefined && second - this.#idleSinceSecond >= idleSeconds) {
      this.#lastIdleSecond = second;
      this.#idleSinceSecond = undefined;
      return 0;
    }
    const view = {
      backlogMessages: backlog,
      takenAtMs: metricsSecond * msPerSecond,
      ackedMessages,
      running: replicas,
      lastIdleAtMs: this.#lastIdleSecond === undefined ? undefined : this.#lastIdleSecond * msPerSecond,
    };
    return replicas + jobsToStart(view, { targetMessages: targetBacklog, jobsMax });
  }

  #ackedSince(metricsSecond: number, now: { readonly second: number; readonly settled: number }): number {
    const sum = (this.#acked.at(-1)?.sum ?? 0) + now.settled;
    this.#acked.push({ second: now.second, sum });
    const from = this.#acked.findLastIndex(({ second }) => second <= metricsSecond);
    this.#acked.splice(0, Math.max(0, from));
    return sum - (this.#acked[0]?.sum ?? 0);
  }
}
