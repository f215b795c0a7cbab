/** Every bound of the adapter. */
export interface PubsubLimits {
  /** So many messages are leased at most and not yet settled. */
  readonly leasesMax: number;
  /** So many bytes of payload are leased when more is asked for; one answer may pass it. */
  readonly leasedBytesMax: number;
  /** A source leases no more than it can finish in so long; half an ack deadline when absent, so that others get theirs. */
  readonly finishMs?: number;
  /** How long a pull waits for its answer; one that was lost is noticed after it. */
  readonly pullTimeoutMs: number;
  /** How long a pull that is out may still answer when its stage stops: what it carries would be lost for an ack deadline. */
  readonly pullGraceMs: number;
  /** The same as `pullTimeoutMs` for every other call. */
  readonly callTimeoutMs: number;
  /** The same for an ack: none is under way longer. A replay waits for it. */
  readonly ackTimeoutMs: number;
  /** How often a call is made when Pub/Sub says that it may be made again; the caller hears of the last failure. */
  readonly callAttemptsMax: number;
  readonly callRetryDelayMs: number;
  /** How long an epoch that was read is believed. A replay waits so long, and for acks under way, before it moves the subscription. */
  readonly epochCacheMs: number;
  readonly batchMessagesMax: number;
  readonly batchBytesMax: number;
  /** Publish calls of one topic at the same time; what comes meanwhile goes together in the next. */
  readonly batchesInFlightMax: number;
  /** So many bytes wait to be published at most; then `publish` waits before it takes more. */
  readonly publishBytesMax: number;
}

export const pubsubLimits: PubsubLimits = {
  leasesMax: 96,
  leasedBytesMax: 16 * 1024 * 1024,
  pullTimeoutMs: 30_000,
  pullGraceMs: 250,
  callTimeoutMs: 10_000,
  ackTimeoutMs: 4_000,
  callAttemptsMax: 3,
  callRetryDelayMs: 50,
  epochCacheMs: 1_000,
  batchMessagesMax: 100,
  batchBytesMax: 4 * 1024 * 1024,
  batchesInFlightMax: 4,
  publishBytesMax: 64 * 1024 * 1024,
};
