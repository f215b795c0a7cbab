import type { Claim } from '@meterflow/dedupe';
import type { LeasedMessage } from './message.ts';

/** One fact that a group works on, from decoding to its ack. */
export interface Work<Input> {
  /** Every message of the group that says it: it is handled once, and all of them are acked. */
  readonly messages: [LeasedMessage, ...LeasedMessage[]];
  readonly input: Input;
  /** Names the fact; the done mark is `dedupeKey(subscription, epoch, key)`. */
  readonly key: string;
  readonly mark: string;
  claim: Claim;
}

/** The state of a claim that nobody could be asked for: the work is done all the same. */
export const unclaimed: Claim = { state: 'claimed', ownerDied: false, deaths: 0 };

/** May be what killed an owner: it is handled alone from then on. */
export function isSuspect({ claim }: Pick<Work<unknown>, 'claim'>): boolean {
  return claim.state === 'claimed' && (claim.ownerDied || claim.deaths > 0);
}
