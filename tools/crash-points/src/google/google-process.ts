import type { BigtableStores } from '@meterflow/bigtable';
import { RegistryEpochs } from '@meterflow/platform';
import { PubsubBus } from '@meterflow/pubsub';
import { openRedis, type RedisStore } from '@meterflow/redis';
import { silentTelemetry, type Clock, type Publisher, type Source } from '@meterflow/stage';
import type { CrashPorts } from '../world.ts';
import { HeldLeases } from './held-leases.ts';
import type { Unsettled } from './unsettled.ts';

export interface GoogleProcessOptions {
  readonly projectId: string;
  readonly pubsub: string;
  readonly redisUrl: string;
  /** Its own; the channels behind them may be others' as well. */
  readonly stores: BigtableStores;
  readonly clock: Clock;
  readonly unsettled: Unsettled;
  /** As the subscriptions are provisioned, and how long leases hold in this world. */
  readonly ackDeadlineMs: { readonly provisioned: number; readonly held: number };
}

/** A replay waits so long before it begins, and twice as long as an epoch is believed. */
const ackTimeoutMs = 1_000;
const epochCacheMs = 100;

/** What one process has open. */
export class GoogleProcess implements CrashPorts {
  readonly bus: PubsubBus;
  readonly publisher: Publisher;
  readonly #options: GoogleProcessOptions;
  readonly #sources: HeldLeases[] = [];
  readonly #publishing = new Set<Promise<void>>();
  #redis: RedisStore | undefined;
  #acceptances: CrashPorts['sources'] | undefined;

  constructor(options: GoogleProcessOptions) {
    const { projectId, pubsub, stores } = options;
    this.#options = options;
    const epochs = new RegistryEpochs(stores.registry);
    this.bus = new PubsubBus({ projectId, emulator: pubsub, epochs, limits: { epochCacheMs, ackTimeoutMs } });
    this.publisher = { publish: (messages) => this.#publish(messages) };
  }

  get deadLetters(): BigtableStores['deadLetters'] {
    return this.#options.stores.deadLetters;
  }

  get tickets(): CrashPorts['tickets'] {
    return this.#options.stores.tickets;
  }

  get registry(): CrashPorts['registry'] {
    return this.#options.stores.registry;
  }

  get aggregates(): CrashPorts['aggregates'] {
    return this.#options.stores.aggregates;
  }

  get contributions(): CrashPorts['contributions'] {
    return this.#options.stores.contributions;
  }

  get sources(): CrashPorts['sources'] {
    return (this.#acceptances ??= this.#options.stores.sources());
  }

  get rows(): CrashPorts['rows'] {
    return this.#options.stores.readingRows;
  }

  readings(layer: 'raw' | 'validated'): ReturnType<CrashPorts['readings']> {
    return this.#options.stores.readings(layer);
  }

  deduper(): ReturnType<CrashPorts['deduper']> {
    const { redisUrl, clock } = this.#options;
    this.#redis ??= openRedis({
      urls: [redisUrl],
      isCluster: false,
      telemetry: silentTelemetry,
      clock,
      random: Math.random,
    });
    return this.#redis.deduper;
  }

  source(subscription: string): Source {
    const { ackDeadlineMs, unsettled } = this.#options;
    const source = new HeldLeases({
      source: this.bus.source(subscription, { ackDeadlineMs: ackDeadlineMs.provisioned }),
      ackDeadlineMs: ackDeadlineMs.held,
      onSettled: (messages) => {
        unsettled.settled(subscription, messages);
      },
    });
    this.#sources.push(source);
    return source;
  }

  /** What it was sending is on its way and arrives; its leases are given back. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#publishing);
    await Promise.all(this.#sources.map((source) => source.drop()));
    await Promise.all([this.bus.close(), this.#redis?.close()]);
    await this.#options.stores.close();
  }

  async #publish(messages: Parameters<Publisher['publish']>[0]): Promise<void> {
    this.#options.unsettled.published(messages);
    const sent = this.bus.publisher.publish(messages);
    this.#publishing.add(sent);
    try {
      await sent;
    } finally {
      this.#publishing.delete(sent);
    }
  }
}
