/** Every bound of the sandbox. */
export interface SandboxLimits {
  /** Child processes that share the work. */
  readonly children: number;
  /** CPU time that one batch may take in all its rules. Honest batches take less than a millisecond. */
  readonly batchCpuMsMax: number;
  /** Wall time of one batch, whatever the CPU clock says: a child that waits for something is stuck as well. */
  readonly batchWallMsMax: number;
  /** Until a child is ready for its first batch: wall time, for on a busy machine starting takes what it takes. */
  readonly startWallMsMax: number;
  /** Resident memory of a child. */
  readonly residentBytesMax: number;
  /** Heap of one isolate, in MiB. */
  readonly isolateMiBMax: number;
  /**
   * Isolates that a child keeps, one for each tenant and flow, of some 3 MiB each; the one unused for longest goes first,
   * also when three quarters of `residentBytesMax` are reached.
   */
  readonly isolatesMax: number;
  /** Of these, as many as one tenant may have: versions that it uploads one after the other push out no other tenant's. */
  readonly isolatesPerTenantMax: number;
  /** Batches sent to a child ahead of its replies, so that it never waits for us. */
  readonly batchesAheadMax: number;
  /** Runs that may wait for a child; one more is refused. */
  readonly waitingMax: number;
  /** The same for one tenant: no tenant fills the whole line. */
  readonly waitingPerTenantMax: number;
  /** Deaths of its child, for no reason that we know, before a batch's rule is held to be the reason. */
  readonly unexplainedDeathsMax: number;
  /** Characters that the new texts of one batch (reasons, methods) may take in memory, two bytes each. */
  readonly outputBytesMax: number;
  /** Failures of single readings told in full, a batch: what a rule can write into a log. */
  readonly failuresShownMax: number;
  /** Failed starts in a row before waiting runs are refused. */
  readonly startAttemptsMax: number;
}

export const sandboxLimits: SandboxLimits = {
  children: 1,
  batchCpuMsMax: 500,
  batchWallMsMax: 10_000,
  startWallMsMax: 60_000,
  residentBytesMax: 2 * 1024 * 1024 * 1024,
  isolateMiBMax: 32,
  isolatesMax: 400,
  isolatesPerTenantMax: 8,
  batchesAheadMax: 3,
  waitingMax: 1_024,
  waitingPerTenantMax: 512,
  unexplainedDeathsMax: 3,
  outputBytesMax: 4 * 1024 * 1024,
  failuresShownMax: 20,
  startAttemptsMax: 5,
};

/** Length of a text that a rule sets (reason, method). */
export const textCharsMax = 200;
/** Texts of a batch, those that rules bring in among them: columns name them by 16 bits. */
export const textsMax = 65_535;
/** How often a child may ask for what a run lacks (its flow, its names) before it is taken for broken. */
export const resendsMax = 8;
/** No frame between parent and child is longer. */
export const frameBytesMax = 64 * 1024 * 1024;
