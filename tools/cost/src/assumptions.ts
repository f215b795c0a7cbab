/**
 * List prices in US dollars, us-central1, on demand, without the monthly free tiers and without commitments, as Google's
 * price pages told them in 2025; check them before a decision: https://cloud.google.com/pricing/list
 */
export const prices = {
  /** Published and delivered bytes are counted each. */
  pubsubPerTib: 40,
  pubsubRetainedPerGibMonth: 0.27,
  bigtableNodePerHour: 0.65,
  bigtableSsdPerGibMonth: 0.17,
  /** Loads are free of charge. */
  bigqueryStoragePerGibMonth: 0.02,
  bigqueryScannedPerTib: 6.25,
  /** Autopilot, general purpose. */
  gkeVcpuPerHour: 0.0445,
  gkeMemoryPerGibHour: 0.0049225,
  gkeClusterPerHour: 0.1,
  /** Memorystore, basic tier, 1 to 4 GiB. */
  redisPerGibHour: 0.049,
  /** Streaming jobs. */
  dataflowVcpuPerHour: 0.069,
  dataflowMemoryPerGibHour: 0.0035557,
  /** Streaming Engine, for each GiB that passes between stages. */
  dataflowProcessedPerGib: 0.018,
} as const;

export type Prices = typeof prices;

/** What one reading costs on its way; each figure with the command that measures it. */
export interface Measured {
  /** Of all services together: `npm run bench -- spine`. */
  readonly cpuSecondsPerMillion: number;
  /** Of the same job on Beam's runner for Flink: the peers' table of the shared research. */
  readonly beamCpuSecondsPerMillion: number;
  /** Payload bytes of a reading on readings.accepted, readings.transformed and aggregates: sizes of the bus's files after a run. */
  readonly acceptedBytes: number;
  readonly transformedBytes: number;
  readonly aggregateBytes: number;
  /** Bytes of a reading in the stores, both layers, and of its aggregates: sizes of the stores' files after a run. */
  readonly storedBytes: number;
  readonly aggregatesStoredBytes: number;
  /** Bytes of a reading in one layer of BigQuery, before its own compression: `libs/bigquery`, ADR 0006. */
  readonly warehouseBytes: number;
}

export const measured: Measured = {
  cpuSecondsPerMillion: 2.1,
  beamCpuSecondsPerMillion: 34.85,
  acceptedBytes: 5.1,
  transformedBytes: 5.1,
  aggregateBytes: 6.9,
  storedBytes: 5.2,
  aggregatesStoredBytes: 3.5,
  warehouseBytes: 69,
};

/**
 * The same of live push: one reading of each of many meters at a time. Each reading computes its day and its month anew, at
 * once, and the messages name the series. `npm run bench -- theodolite --case uc1 --cores 2 --load 2000 --json`; notices
 * are counted with what they tell of. What Beam takes for it was not measured.
 */
export const livePush: Measured = {
  ...measured,
  cpuSecondsPerMillion: 231,
  acceptedBytes: 45,
  transformedBytes: 45,
  aggregateBytes: 396,
};

/** How it is run. Both pipelines are sized for the peak, and neither below what keeps it alive when a machine fails. */
export interface Deployment {
  readonly readingsPerDay: number;
  /** The busiest hour against the mean hour. */
  readonly peakFactor: number;
  /** Share of a vCPU that may be used at the peak before one more is started. */
  readonly utilisation: number;
  readonly services: number;
  readonly replicasMin: number;
  readonly vcpuPerReplicaMin: number;
  readonly memoryGibPerReplica: number;
  /** Autopilot's bound: no vCPU without so much. */
  readonly memoryGibPerVcpuMin: number;
  readonly bigtableNodesMin: number;
  /** Google's bound for SSD: who stores more needs more nodes, however little is written. */
  readonly bigtableGibPerNodeMax: number;
  readonly bigqueryMonthsKept: number;
  readonly bigtableMonthsKept: number;
  readonly redisGib: number;
  readonly dataflowWorkersMin: number;
  readonly dataflowVcpuPerWorker: number;
  readonly dataflowMemoryGibPerWorker: number;
  /** How often a reading's bytes pass between stages of the managed job: into it, the rules' shuffle, the windows' shuffle. */
  readonly dataflowPasses: number;
}

export const deployment: Deployment = {
  readingsPerDay: 1e9,
  peakFactor: 4,
  utilisation: 0.6,
  services: 4,
  replicasMin: 2,
  vcpuPerReplicaMin: 0.25,
  memoryGibPerReplica: 0.5,
  memoryGibPerVcpuMin: 1,
  bigtableNodesMin: 1,
  bigtableGibPerNodeMax: 5 * 1024,
  bigqueryMonthsKept: 24,
  bigtableMonthsKept: 24,
  redisGib: 1,
  dataflowWorkersMin: 2,
  dataflowVcpuPerWorker: 2,
  dataflowMemoryGibPerWorker: 7.5,
  dataflowPasses: 3,
};
