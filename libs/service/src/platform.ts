import type { Deduper } from '@meterflow/dedupe';
import type { AggregateStore, ReadingStore, Tickets } from '@meterflow/idempotent-writes';
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
  /** What suits its stores better than the limits of a lane; a stage's own stand before both. */
  readonly limits?: PlatformLimits;
  source(subscription: string): Source;
  deduper(subscription: string): Deduper;
  readings(layer: Layer): ReadingStore;
  close(): Promise<void>;
}

export interface SubscriptionBacklog {
  readonly subscription: string;
  readonly topic: string;
  /** Not acked yet, those leased included, on the topic and the retry topic. */
  readonly messages: number;
  readonly bytes: number;
  /** When the oldest of them was published: its age is the backlog age. Undefined when there is none. */
  readonly oldestPublishedAtMs: number | undefined;
  /** In work at this moment. */
  readonly leased: number;
}
