import type { Deduper } from '@meterflow/dedupe';
import type { AggregateStore, ContributionStore, ReadingStore, Tickets } from '@meterflow/idempotent-writes';
import type { Layer } from '@meterflow/readings';
import type { Sources, Uploads } from '@meterflow/receipts';
import type { Registry } from '@meterflow/registry';
import type { DeadLetterSink, Publisher, Source, StageLimits } from '@meterflow/stage';

export interface PlatformLimits {
  readonly bulk: Partial<StageLimits>;
  /** Every other lane. */
  readonly live: Partial<StageLimits>;
}

/**
 * Everything that the services stand on, behind its ports. One implementation is embedded, another is Google's; only a
 * `main.ts` knows which. Each part is opened when it is first asked for, and closed with the platform.
 */
export interface Platform {
  readonly publisher: Publisher;
  readonly deadLetters: DeadLetterSink;
  readonly tickets: Tickets;
  readonly registry: Registry;
  readonly sources: Sources;
  readonly uploads: Uploads;
  readonly aggregates: AggregateStore;
  readonly contributions: ContributionStore;
  /** What suits its stores better than the limits of a lane; a stage's own stand before both. */
  readonly limits?: PlatformLimits;
  /**
   * What waits on these subscriptions, or on more than these; of one that nobody tells of, nothing. Asked about once a
   * second. Absent where nobody is to be held back. May reject.
   */
  backlogs?(subscriptions: readonly string[]): Promise<readonly Waiting[]>;
  source(subscription: string): Source;
  deduper(subscription: string): Deduper;
  readings(layer: Layer): ReadingStore;
  close(): Promise<void>;
}

/** What is known of a backlog wherever it is. */
export interface Waiting {
  readonly subscription: string;
  /** 0 where nobody tells. */
  readonly bytes: number;
  /** When the oldest message was published: its age is the backlog age. Undefined when there is none, or nobody tells. */
  readonly oldestPublishedAtMs: number | undefined;
}

export interface SubscriptionBacklog extends Waiting {
  readonly topic: string;
  /** Not acked yet, those leased included, on the topic and the retry topic. */
  readonly messages: number;
  /** In work at this moment. */
  readonly leased: number;
}
