import type { DeadLetter, DeadLetterSink, DeadLetterState } from './dead-letters.ts';
import type { Publisher } from './publisher.ts';

/** What a list shows of a dead letter: all but its payload and its causes. */
export interface DeadLetterLine {
  readonly id: string;
  readonly state: DeadLetterState | 'purged';
  readonly stage: string;
  readonly subscription: string;
  readonly key: string;
  readonly tenant: string;
  readonly reasonCode: string;
  readonly reason: string;
  readonly atMs: number;
  readonly payloadBytes: number;
}

export interface DeadLetterQuery {
  readonly state?: DeadLetterLine['state'];
  readonly stage?: string;
  readonly tenant?: string;
  readonly reasonCode?: string;
  readonly limit: number;
  /** The last line of the page before. */
  readonly before?: Pick<DeadLetterLine, 'atMs' | 'id'>;
}

export interface RetryOptions {
  readonly publisher: Publisher;
  /** The bytes to publish in place of the letter's own: a new activation stamped on them. */
  readonly restamp?: (letter: DeadLetter) => Uint8Array;
}

/** What came of a command on many: the ids that it was done to; the others are unknown or purged. */
export type DeadLetterIds = readonly string[];

/** Dead letters and parked batches, as operators handle them beside running stages. Every change is durable before it resolves. */
export interface DeadLetterStore extends DeadLetterSink {
  /** Newest first; of one time, by id downwards. */
  list(query: DeadLetterQuery): Promise<readonly DeadLetterLine[]>;
  /** Undefined when there is none of this id, or when it was purged. */
  show(id: string): Promise<DeadLetter | undefined>;
  /**
   * Publishes each to the retry topic of its subscription, and removes it once that is durable, but not one that was put
   * again meanwhile. Ended in between, it is published again by the next retry and absorbed by its key.
   */
  retry(ids: DeadLetterIds, options: RetryOptions): Promise<DeadLetterIds>;
  /** Drops their payloads for good. What they stand for in the ledger stays, as dead. */
  purge(ids: DeadLetterIds): Promise<DeadLetterIds>;
  /** How many there are of each state. */
  counts(): Promise<Readonly<Record<DeadLetterLine['state'], number>>>;
}

/** Where a dead letter of a subscription is published to be handled by that stage alone once more. */
export function retryTopicOf(subscription: string): string {
  return `${subscription}.retry`;
}
