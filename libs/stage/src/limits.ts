/**
 * Every bound of a running stage. In flight are at most `groupsInFlightMax` groups, and `groupsHeldMax` that wait for
 * keys which others hold; each within the group's limits.
 */
export interface StageLimits {
  readonly groupMessagesMax: number;
  readonly groupBytesMax: number;
  /** How long a group that is not full waits for more, … */
  readonly coalesceMs: number;
  /** … as long as messages come: once none came for so long, it waits no more (default: `coalesceMs`). */
  readonly restMs?: number;
  readonly groupsInFlightMax: number;
  readonly groupsHeldMax: number;
  /** How long a group waits at most for what comes after this stage, where that is behind. */
  readonly holdBackMsMax: number;
  /** How long a done mark absorbs duplicates. */
  readonly doneTtlMs: number;
  /** So many deaths of a process while it handled a key make the key's message a dead letter. */
  readonly poisonAttemptsMax: number;
  /** First wait after a transient failure; doubled each time up to the greatest. */
  readonly backOffMs: number;
  readonly backOffMsMax: number;
  /** So many failures for no known reason make a key's message a dead letter. */
  readonly unexpectedAttemptsMax: number;
  /** First delay after such a failure; doubled each time up to the greatest. */
  readonly unexpectedBackOffMs: number;
  readonly unexpectedBackOffMsMax: number;
  /** Keys whose failures are counted; beyond it the one that failed longest ago is counted from nothing. */
  readonly unexpectedKeysMax: number;
}

export const stageLimits: StageLimits = {
  groupMessagesMax: 16,
  groupBytesMax: 4 * 1024 * 1024,
  coalesceMs: 2,
  groupsInFlightMax: 2,
  groupsHeldMax: 16,
  holdBackMsMax: 5_000,
  doneTtlMs: 24 * 60 * 60 * 1000,
  poisonAttemptsMax: 3,
  backOffMs: 100,
  backOffMsMax: 10_000,
  // About two minutes in all: longer than a hiccup, shorter than what a scaler answers.
  unexpectedAttemptsMax: 8,
  unexpectedBackOffMs: 1_000,
  unexpectedBackOffMsMax: 60_000,
  unexpectedKeysMax: 50_000,
};

/**
 * For work that comes in floods (files, backfills): groups are filled rather than hurried, and one at a time is in
 * flight, so that the next one fills meanwhile. Fewer, larger commits cost less than half.
 */
export const bulkStageLimits: StageLimits = {
  ...stageLimits,
  groupMessagesMax: 32,
  coalesceMs: 15,
  groupsInFlightMax: 1,
};
