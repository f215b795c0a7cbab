import { randomBytes } from 'node:crypto';
import type { Deduper } from '@meterflow/dedupe';
import type { Layer } from '@meterflow/readings';
import type { Platform, SubscriptionBacklog } from '@meterflow/service';
import { systemClock, type Publisher, type Source, type Telemetry } from '@meterflow/stage';
import { openDeadLetters, type DeadLetters } from './bus/dead-letters.ts';
import { openDeduper } from './bus/deduper.ts';
import { openBus, type EmbeddedBus } from './bus/embedded-bus.ts';
import { dataDirectory, type DataDirectory } from './data-directory.ts';
import { EmbeddedRegistry } from './state/registry.ts';
import { EmbeddedSources } from './state/sources.ts';
import { EmbeddedUploads } from './state/uploads.ts';
import { openAggregateStore, type EmbeddedAggregateStore } from './stores/aggregate-store.ts';
import { openContributionStore, type EmbeddedContributionStore } from './stores/contribution-store.ts';
import { openLedger, type EmbeddedLedger } from './stores/ledger.ts';
import { openReadingStore, type EmbeddedReadingStore } from './stores/reading-store.ts';
import { openTickets, type EmbeddedTickets } from './stores/tickets.ts';

export interface PlatformOptions {
  readonly root: string;
  /** Names this run of this process: the owner of its leases. */
  readonly owner: string;
  readonly telemetry: Telemetry;
}

/**
 * How long a lease holds. Short: an owner that dies under a supervisor has its leases given back at once, and nothing
 * but renewal is needed to hold one longer.
 */
const ackDeadlineMs = 10_000;

/** Opens the embedded platform on a data directory, as any number of processes of one server may at the same time. */
export function openEmbeddedPlatform(options: PlatformOptions): EmbeddedPlatform {
  return new EmbeddedPlatform(options);
}

/** The services' ports on one data directory. */
export class EmbeddedPlatform implements Platform {
  readonly directory: DataDirectory;
  readonly #options: PlatformOptions;
  readonly #closes: (() => Promise<void> | void)[] = [];
  readonly #opened = new Map<string, unknown>();

  constructor(options: PlatformOptions) {
    this.#options = options;
    this.directory = dataDirectory(options.root);
  }

  get bus(): EmbeddedBus {
    const { owner, telemetry } = this.#options;
    const options = { directory: this.directory, clock: systemClock, owner, telemetry };
    return this.#open('bus', () => openBus(options), closing);
  }

  get publisher(): Publisher {
    return this.bus.publisher;
  }

  get deadLetters(): DeadLetters {
    return this.#open('dead-letters', () => openDeadLetters({ directory: this.directory }), closing);
  }

  get tickets(): EmbeddedTickets {
    return this.#open('tickets', () => openTickets({ file: this.directory.state('tickets') }), closing);
  }

  get registry(): EmbeddedRegistry {
    return this.#open('registry', () => new EmbeddedRegistry(this.directory.state('registry')), disconnecting);
  }

  get ledger(): EmbeddedLedger {
    return this.#open('ledger', () => openLedger({ directory: this.directory }), closing);
  }

  get sources(): EmbeddedSources {
    const { ledger } = this;
    const nowMs = (): number => systemClock.nowMs();
    const newId = (): string => randomBytes(9).toString('hex');
    const file = this.directory.state('sources');
    return this.#open('sources', () => new EmbeddedSources(file, { ledger, nowMs, newId }), disconnecting);
  }

  get uploads(): EmbeddedUploads {
    const newId = (): string => randomBytes(12).toString('hex');
    return this.#open(
      'uploads',
      () => new EmbeddedUploads(this.directory.uploads, { newId }),
      () => undefined,
    );
  }

  get aggregates(): EmbeddedAggregateStore {
    return this.#open('aggregates', () => openAggregateStore({ file: this.directory.store('aggregates') }), closing);
  }

  get contributions(): EmbeddedContributionStore {
    const file = this.directory.store('contributions');
    return this.#open('contributions', () => openContributionStore({ file }), closing);
  }

  source(subscription: string): Source {
    return this.bus.source(subscription, { ackDeadlineMs });
  }

  deduper(subscription: string): Deduper {
    const { directory } = this;
    return this.#open(
      `deduper ${subscription}`,
      () => openDeduper({ directory, subscription, clock: systemClock }),
      closing,
    );
  }

  readings(layer: Layer): EmbeddedReadingStore {
    return this.#open(
      `readings ${layer}`,
      () =>
        openReadingStore({
          file: this.directory.store(layer),
          layer,
          originsOfRaw: (days) => this.readings('raw').origins(days),
        }),
      closing,
    );
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- the files are read at once; errors reject
  async backlogs(subscriptions?: readonly string[]): Promise<readonly SubscriptionBacklog[]> {
    return this.bus.backlog(subscriptions);
  }

  /** Closes what was opened, the newest first. */
  async close(): Promise<void> {
    this.#opened.clear();
    for (const close of this.#closes.splice(0).reverse()) {
      await close();
    }
  }

  #open<Part>(name: string, open: () => Part, close: (part: Part) => Promise<void> | void): Part {
    const known = this.#opened.get(name);
    if (known !== undefined) {
      return known as Part;
    }
    const part = open();
    this.#opened.set(name, part);
    this.#closes.push(() => close(part));
    return part;
  }
}

const closing = (part: { close(): Promise<void> | void }): Promise<void> | void => part.close();
const disconnecting = (part: { disconnect(): void }): void => {
  part.disconnect();
};
