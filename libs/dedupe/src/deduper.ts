/** What claiming a key came to. */
export type Claim =
  /** Ours now. `ownerDied`: the last owner's lease ran out. `deaths`: how often that happened under the mark `handling`. */
  | { readonly state: 'claimed'; readonly ownerDied: boolean; readonly deaths: number }
  /** Handled before, within `doneTtlMs`: ack the message. */
  | { readonly state: 'done' }
  /** Leased by a live owner: hold the message, don't nack it. */
  | { readonly state: 'held'; readonly expiresAtMs: number };

/**
 * Remembers which keys are in work and which are done. A courtesy, not the guarantee: a miss may be wrong (the store
 * was emptied), a hit never is, since a key is marked done only after all its outputs are durable.
 *
 * Keys are full names, `subscription/epoch/key` (see `dedupeKey`). `owner` names one run of one process. Every method
 * takes a whole group in one round trip, may be called from several groups at once, and rejects with an error that the
 * caller treats as "the deduper is down": it goes on without.
 */
export interface Deduper {
  /** Leases each key for `leaseMs` unless it is done or held. A key already held by `owner` itself is claimed again. */
  claim(
    keys: readonly string[],
    lease: { readonly owner: string; readonly leaseMs: number },
  ): Promise<readonly Claim[]>;
  /** Extends the leases that `owner` still holds; false for each one lost. */
  renew(
    keys: readonly string[],
    lease: { readonly owner: string; readonly leaseMs: number },
  ): Promise<readonly boolean[]>;
  /** Sets or clears the mark under which a death counts. Ignored where `owner` no longer holds the key. */
  markHandling(keys: readonly string[], owner: string, handling: boolean): Promise<void>;
  /** Marks the keys done for `doneTtlMs`; false where another owner holds the key by now (its work is as good). */
  done(
    keys: readonly string[],
    mark: { readonly owner: string; readonly doneTtlMs: number },
  ): Promise<readonly boolean[]>;
  /** Gives up leases without marking, so that the next delivery is claimed at once and no death is counted. */
  release(keys: readonly string[], owner: string): Promise<void>;
  /** The same, and forgets the deaths: for dead-lettered keys, which a retry handles like new ones. */
  forget(keys: readonly string[], owner: string): Promise<void>;
}

/** The full name of a key. Raising the subscription's epoch before a deliberate replay makes every earlier mark void. */
export function dedupeKey(subscription: string, epoch: number, key: string): string {
  return `${subscription}/${epoch}/${key}`;
}
