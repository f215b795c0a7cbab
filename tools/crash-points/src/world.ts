import type { CompactionTable } from '@meterflow/bigtable';
import type { Deduper } from '@meterflow/dedupe';
import type { AggregateStore, ContributionStore, ReadingStore, Tickets } from '@meterflow/idempotent-writes';
import type { Layer } from '@meterflow/readings';
import type { Sources } from '@meterflow/receipts';
import type { Registry } from '@meterflow/registry';
import type { Clock, DeadLetter, DeadLetterSink, Publisher, Source } from '@meterflow/stage';

/** Through what one process reaches the world; a platform has all of it. */
export interface CrashPorts {
  readonly publisher: Publisher;
  readonly deadLetters: DeadLetterSink;
  readonly tickets: Tickets;
  readonly registry: Registry;
  readonly sources: Sources;
  readonly aggregates: AggregateStore;
  readonly contributions: ContributionStore;
  /** Where readings lie in rows that grow, and closed days are compacted; absent where stores merge as they write. */
  readonly rows?: CompactionTable | undefined;
  source(subscription: string): Source;
  deduper(subscription: string): Deduper;
  readings(layer: Layer): ReadingStore;
}

/** Time as a schedule has it: simulated, or the machine's own for parts that live in real time. */
export interface Timeline extends Clock {
  /**
   * Does something after `ms`, when all that was set going before has come to rest. Resolves nothing itself; returns what
   * forgets it.
   */
  after(ms: number, action: () => void | Promise<void>): () => void;
  /** Forgets all that is to come. */
  stop(): void;
}

/**
 * A world of stores and a bus, empty at first, that a schedule runs in: what survives the end of any process. One set of
 * adapters is one implementation; everything else of the proof is the same for all.
 */
export interface CrashWorld {
  readonly time: Timeline;
  /** How long its leases hold. */
  readonly ackDeadlineMs: number;
  /** A run that takes longer than this, in its own time, is stuck. Half an hour where absent. */
  readonly runMsMax?: number;
  /** What a process of this name opens when it starts. Called anew for each process; names never come twice. */
  open(owner: string): CrashPorts;
  /** Called when that process has ended, however it did: lets go of what it had open and flushes nothing. */
  drop(owner: string): Promise<void> | void;
  /** Delivers all that a subscription ever had once more, under a new epoch. */
  replay(subscription: string): Promise<void> | void;
  /** Subscriptions with messages that nobody has acked, with how many there are; empty when all is done. */
  backlog(): Promise<readonly string[]> | readonly string[];
  /** All that is there, purged ones left out. */
  deadLetters(): Promise<readonly DeadLetterFacts[]> | readonly DeadLetterFacts[];
  /** Lets go of everything and leaves nothing behind. */
  close(): Promise<void> | void;
}

export type DeadLetterFacts = Pick<DeadLetter, 'stage' | 'key' | 'state' | 'reasonCode' | 'payload'>;

/** Makes worlds of one kind. */
export interface CrashWorlds {
  /** `memory`, `embedded`, `google`. */
  readonly adapters: string;
  /** How many schedules may run at once. */
  readonly concurrency: number;
  open(): Promise<CrashWorld>;
  /** Lets go of what its worlds stand on together, once all are closed. */
  close?(): Promise<void>;
}
