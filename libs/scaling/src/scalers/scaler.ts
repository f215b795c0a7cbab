/** What a scaler knows at an instant: metrics as late as they are, and pods as they are. */
export interface ScalerView {
  readonly second: number;
  /** Readings not acked, and the age of the oldest in seconds, as the metrics say them: sampled, and late. */
  readonly backlog: number;
  readonly ageSeconds: number;
  /** When the metrics were sampled; before the first sample both are 0. */
  readonly metricsSecond: number;
  readonly replicas: number;
  readonly readyReplicas: number;
  /** Share of the ready pods' capacity that was used since this scaler was last asked. */
  readonly utilization: number;
  /** Readings that arrived for each second since then, and that were settled. */
  readonly arrivedPerSecond: number;
  readonly settledPerSecond: number;
}

/** Decides how many pods there are. One object a simulated run; asked every `periodSeconds`, in order of time. */
export interface Scaler {
  readonly periodSeconds: number;
  /** Pods at the beginning. */
  readonly replicasAtStart: number;
  decide(view: ScalerView): number;
  /**
   * Size of one pod, as a multiple of the size that the rate was measured with; 1 where it never changes. A change takes
   * effect by a restart, one pod after the other.
   */
  podSize?(): number;
}
