import type { SubscriptionBacklog } from '@meterflow/service';
import {
  retryTopicOf,
  silentTelemetry,
  type Clock,
  type OutgoingMessage,
  type Publisher,
  type Source,
  type Telemetry,
} from '@meterflow/stage';
import type { DataDirectory } from '../data-directory.ts';
import { backlogOf } from './backlog.ts';
import { BusFiles } from './bus-files.ts';
import { declareSubscription, declareTopic, type SubscriptionDeclaration } from './declare.ts';
import { EmbeddedSource } from './embedded-source.ts';
import { keptOf, type KeptMessages } from './kept.ts';
import { maintain } from './maintain.ts';
import { releaseLeases } from './release-leases.ts';
import { replay, type Replay } from './replay.ts';
import { topicEnds } from './topic-file.ts';
import { TopicWriter } from './topic-writer.ts';
import type { Retention } from './trim.ts';

export interface BusOptions extends Partial<Retention> {
  readonly directory: DataDirectory;
  readonly clock: Clock;
  /** Names this run of this process: who holds its leases. */
  readonly owner: string;
  readonly telemetry?: Telemetry;
  /** Declared before anything else. */
  readonly topology?: BusTopology;
  /** A topic holds no more bytes of payload; publishing then fails with a TransientError until something is trimmed. */
  readonly topicBytesMax?: number;
}

export interface BusTopology {
  readonly topics: readonly string[];
  readonly subscriptions: readonly SubscriptionDeclaration[];
}

const topicBytesMaxDefault = 64 * 1024 ** 3;
const retentionDefault: Retention = { retentionMs: 24 * 60 * 60 * 1000, retentionBytesMax: 1024 ** 3 };

/** Opens the bus of a data directory, as any number of processes may at the same time. */
export function openBus(options: BusOptions): EmbeddedBus {
  const bus = new EmbeddedBus(options);
  try {
    options.topology?.topics.forEach((topic) => {
      bus.declareTopic(topic);
    });
    options.topology?.subscriptions.forEach((subscription) => {
      bus.declareSubscription(subscription);
    });
  } catch (error) {
    void bus.close();
    throw error;
  }
  return bus;
}

/**
 * A durable bus on one machine. A topic is one file that publishers append to; a subscription is one file that says how
 * far it has come and what it has handed out. All subscriptions read the topic's one copy. Only publishers of the same
 * topic, and consumers of the same subscription, ever wait for the same lock.
 */
export class EmbeddedBus {
  readonly publisher: Publisher;
  readonly #options: BusOptions & { readonly topicBytesMax: number };
  readonly #files: BusFiles;
  readonly #writers = new Map<string, TopicWriter>();
  readonly #sources = new Set<EmbeddedSource>();
  #closed: Promise<void> | undefined;

  constructor(options: BusOptions) {
    this.#options = { topicBytesMax: topicBytesMaxDefault, ...options };
    this.#files = new BusFiles(options.directory);
    this.publisher = { publish: (messages) => this.#publish(messages) };
  }

  declareTopic(name: string): void {
    declareTopic(this.#files, name);
  }

  /** Declares its topic and its retry topic with it. Declared again, it stays where it is. */
  declareSubscription(declaration: SubscriptionDeclaration): void {
    declareTopic(this.#files, declaration.topic);
    declareSubscription(this.#files, declaration);
  }

  /** The port to one subscription, closed with the bus. Throws FatalError when nobody declared it. */
  source(subscription: string, { ackDeadlineMs }: { readonly ackDeadlineMs: number }): Source {
    const { directory, clock, owner, telemetry = silentTelemetry } = this.#options;
    const files = {
      topic: directory.topic(this.#files.topology.subscription(subscription).topic),
      retryTopic: directory.topic(retryTopicOf(subscription)),
      subscription: directory.subscription(subscription),
    };
    const source = new EmbeddedSource({ subscription, ackDeadlineMs, owner, clock, telemetry, files });
    this.#sources.add(source);
    return source;
  }

  /** Delivers what was published since a time once more, under a new epoch. */
  replay(request: Replay): void {
    replay(this.#files, request);
  }

  /**
   * Makes what dead processes hold come again at once; returns how many messages. Called by whoever starts the processes:
   * when one of them has exited, and at the start of a server, which knows that all owners before it are dead.
   */
  releaseLeases(isDead: (owner: string) => boolean): number {
    return releaseLeases(this.#files, isDead, this.#options.clock.nowMs());
  }

  /** Of the subscriptions with these names, of all where none are named. */
  backlog(names?: readonly string[]): readonly SubscriptionBacklog[] {
    return this.#files.topology
      .subscriptions()
      .filter(({ name }) => names === undefined || names.includes(name))
      .map((subscription) => backlogOf(this.#files, subscription));
  }

  /** By topic, the payload bytes of all messages ever published. */
  publishedBytes(): ReadonlyMap<string, number> {
    const topics = this.#files.topology.topics();
    return new Map(
      topics.map((name) => [name, this.#files.onTopic(name, (topic) => topicEnds(topic).last?.endBytes ?? 0)]),
    );
  }

  /** What is kept of a tenant's messages, waiting or for a replay. */
  kept(tenant: string): KeptMessages {
    return keptOf(this.#files, tenant, this.#options.retentionMs ?? retentionDefault.retentionMs);
  }

  /** Called about once a second, by one process. Returns how many messages were trimmed. */
  maintain(): Promise<number> {
    return maintain(this.#files, { ...retentionDefault, ...this.#options, nowMs: this.#options.clock.nowMs() });
  }

  /** Commits what still waits to be published, then lets go of all files. Nothing may be called after it. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#writers.values()].map((writer) => writer.close()));
    this.#writers.clear();
    this.#sources.forEach((source) => {
      source.close();
    });
    this.#sources.clear();
    this.#files.close();
  }

  async #publish(messages: readonly OutgoingMessage[]): Promise<void> {
    const byTopic = Map.groupBy(messages, ({ topic }) => topic);
    byTopic.forEach((_, topic) => {
      this.#files.topology.checkTopic(topic);
    });
    // All have ended before the first failure is told: nothing goes on behind the caller's back.
    const outcomes = await Promise.allSettled([...byTopic].map(([topic, group]) => this.#writer(topic).append(group)));
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed !== undefined) {
      throw failed.reason;
    }
  }

  #writer(topic: string): TopicWriter {
    const { directory, clock, topicBytesMax } = this.#options;
    const writer = this.#writers.get(topic) ?? new TopicWriter(directory.topic(topic), clock, topicBytesMax);
    this.#writers.set(topic, writer);
    return writer;
  }
}
