/** The Jobs of one stage. */
export interface WorkerJobs {
  /** Those that have not finished. */
  readonly running: number;
  /** When the last of those that ended with 0 did so: what a worker does when it is idle. */
  readonly lastIdleAtMs: number | undefined;
}

/** The cluster, as far as workers are concerned. Each call rejects where the cluster does not answer or refuses. */
export interface WorkerCluster {
  jobs(worker: string): Promise<WorkerJobs>;
  /** Starts a Job under that name. One that is there already is left alone: another leader saw the same. */
  start(worker: string, name: string): Promise<void>;
}
