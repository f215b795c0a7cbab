/**
 * The epoch of each subscription: part of its done marks, raised before a deliberate replay so that marks from before it
 * no longer count. Durable: an epoch that fell back would let old marks swallow the replay. Rejects with a TransientError
 * while its store is down.
 */
export interface Epochs {
  /** Read about once a second by every process that receives; 1 where it was never raised. */
  current(subscription: string): Promise<number>;
  /** Resolves with the new epoch when it is durable. Two at the same time may raise it by one or by two. */
  raise(subscription: string): Promise<number>;
}
