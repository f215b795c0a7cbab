/** Every bound of the sandbox. */
export interface SandboxLimits {
  /** Child processes that share the work. */
  readonly children: number;
  /** CPU time that one batch may take in all its rules. Honest batches take less than a millisecond. */
  readonly batchCpuMsMax: number;
  /** Wall time of one batch, whatever the CPU clock says: a child that waits for something is stuck as well. */
  readonly batchWallMsMax: number;
  /** Resident memory of a child. */
  readonly residentBytesMax: number;
  /** Heap of one isolate, in MiB. */
  readonly isolateMiBMax: number;
  /** Isolates that a child keeps, one for each tenant and flow; the one unused for longest goes first. */
  readonly isolatesMax: number;
  /** Batches sent to a child ahead of its replies, so that it never waits for us. */
  readonly batchesAheadMax: number;
  /** Runs that may wait for a child; one more is refused. */
  readonly waitingMax: number;
  /** The same for one tenant: no tenant fills the whole line. */
  readonly waitingPerTenantMax: number;
  /** Deaths of its child, for no reason that we know, before a batch's rule is held to be the reason. */
  readonly unexplainedDeathsMax: number;
  /** Failed starts in a row before waiting runs are refused. */
  readonly startAttemptsMax: number;
}

export const sandboxLimits: SandboxLimits = {
  children: 1,
  batchCpuMsMax: 500,
  batchWallMsMax: 10_000,
  residentBytesMax: 512 * 1024 * 1024,
  isolateMiBMax: 32,
  isolatesMax: 100,
  batchesAheadMax: 3,
  waitingMax: 1_024,
  waitingPerTenantMax: 512,
  unexplainedDeathsMax: 3,
  startAttemptsMax: 5,
};

/** Length of a text that a rule sets (reason, method). */
export const textCharsMax = 200;
/** Failures of single readings told in full, a batch. */
export const failuresShownMax = 20;
/** No frame between parent and child is longer. */
export const frameBytesMax = 64 * 1024 * 1024;
