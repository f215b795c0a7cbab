import type { BigtableStores } from '@meterflow/bigtable';
import type { Deduper } from '@meterflow/dedupe';
import type { AggregateStore, ContributionStore, ReadingStore, Tickets } from '@meterflow/idempotent-writes';
import type { PubsubBus } from '@meterflow/pubsub';
import type { Layer } from '@meterflow/readings';
import type { Uploads } from '@meterflow/receipts';
import type { RedisStore } from '@meterflow/redis';
import type { Registry } from '@meterflow/registry';
import type { ErasablePlaces, GoogleConfig, Platform, PlatformLimits, Waiting } from '@meterflow/service';
import {
  systemClock,
  type DeadLetterStore,
  type Publisher,
  type Replay,
  type Source,
  type Telemetry,
} from '@meterflow/stage';
import { googleErasablePlaces } from './google-erasable-places.ts';
import { RegistryEpochs } from './registry-epochs.ts';
import { TellingSource } from './telling-source.ts';

interface Parts {
  readonly bus: PubsubBus;
  readonly stores: BigtableStores;
  readonly redis: RedisStore;
  readonly config: GoogleConfig;
}

/** Pub/Sub, Bigtable and Redis. Nothing is called before a part is used. */
export async function openGooglePlatform(config: GoogleConfig, telemetry: Telemetry): Promise<GooglePlatform> {
  // Loaded here: whoever runs embedded does without their start-up time.
  const [{ openBigtable }, { PubsubBus }, { openRedis }] = await Promise.all([
    import('@meterflow/bigtable'),
    import('@meterflow/pubsub'),
    import('@meterflow/redis'),
  ]);
  const { projectId } = config;
  const stores = openBigtable({ projectId, ...config.bigtable });
  const epochs = new RegistryEpochs(stores.registry);
  const bus = new PubsubBus({ projectId, ...config.pubsub, epochs, telemetry });
  const redis = openRedis({ ...config.redis, telemetry, clock: systemClock, random: Math.random });
  return new GooglePlatform({ bus, stores, redis, config });
}

/** While one group waits for an answer from the network, another is at work. */
const networkLimits: PlatformLimits = {
  bulk: { groupsInFlightMax: 2 },
  live: {},
};

export class GooglePlatform implements Platform {
  readonly limits = networkLimits;
  readonly bus: PubsubBus;
  readonly stores: BigtableStores;
  readonly #redis: RedisStore;
  readonly #config: GoogleConfig;
  readonly #telling: TellingSource[] = [];
  #sources: ReturnType<BigtableStores['sources']> | undefined;

  constructor({ bus, stores, redis, config }: Parts) {
    this.bus = bus;
    this.stores = stores;
    this.#redis = redis;
    this.#config = config;
  }

  get publisher(): Publisher {
    return this.bus.publisher;
  }

  get replay(): Replay {
    return this.bus.replay;
  }

  get deadLetters(): DeadLetterStore {
    return this.stores.deadLetters;
  }

  get tickets(): Tickets {
    return this.stores.tickets;
  }

  get registry(): Registry {
    return this.stores.registry;
  }

  get sources(): ReturnType<BigtableStores['sources']> {
    return (this.#sources ??= this.stores.sources());
  }

  get uploads(): Uploads {
    return this.stores.uploads;
  }

  get aggregates(): AggregateStore {
    return this.stores.aggregates;
  }

  get contributions(): ContributionStore {
    return this.stores.contributions;
  }

  /** It tells what it has in hand, so that what comes before it can hold back. */
  source(subscription: string): Source {
    const source = new TellingSource({
      source: this.bus.source(subscription, this.#config.pubsub),
      clock: systemClock,
      tell: (publishedAtMs) => this.#redis.ages.tell(subscription, publishedAtMs),
    });
    this.#telling.push(source);
    return source;
  }

  deduper(): Deduper {
    return this.#redis.deduper;
  }

  readings(layer: Layer): ReadingStore {
    return this.stores.readings(layer);
  }

  /** Where BigQuery has what is stored; undefined without a warehouse. */
  get warehouse(): { readonly projectId: string; readonly dataset: string } | undefined {
    const { projectId, warehouse } = this.#config;
    return warehouse === undefined ? undefined : { projectId, dataset: warehouse.dataset };
  }

  erasablePlaces(telemetry: Telemetry): Promise<ErasablePlaces> {
    return googleErasablePlaces(this.stores, this.#config, telemetry);
  }

  /** Compacts closed days until the signal aborts; never rejects. One process of a system is enough, more are harmless. */
  async compact(telemetry: Telemetry, signal: AbortSignal): Promise<void> {
    const { CompactionRounds } = await import('@meterflow/bigtable');
    const { registry } = this.stores;
    const readings = this.stores.readings('raw');
    await new CompactionRounds({ readings, registry, clock: systemClock, telemetry }).run(signal);
  }

  /** As their processes tell each other of late: Pub/Sub tells Cloud Monitoring alone, and minutes late. */
  backlogs(subscriptions: readonly string[]): Promise<readonly Waiting[]> {
    return Promise.all(
      subscriptions.map(async (subscription) => {
        // Nobody is held back while Redis is down.
        const oldestPublishedAtMs = await this.#redis.ages.oldestPublishedAtMs(subscription).catch(() => undefined);
        return { subscription, bytes: 0, oldestPublishedAtMs };
      }),
    );
  }

  /** The bus first: what was leased is given back before the stores are gone. */
  async close(): Promise<void> {
    this.#telling.forEach((source) => {
      source.close();
    });
    await this.bus.close();
    await this.#redis.close();
    await this.stores.close();
  }
}
