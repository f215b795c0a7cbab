import {
  retryTopicOf,
  silentTelemetry,
  systemClock,
  type Clock,
  type Epochs,
  type Publisher,
  type Replay,
  type Source,
  type Telemetry,
} from '@meterflow/stage';
import { Connection } from './connection.ts';
import { Feed } from './feed.ts';
import { pubsubLimits, type PubsubLimits } from './limits.ts';
import { provisionSettings, Provisioning, type ProvisionSettings } from './provision.ts';
import { PubsubPublisher } from './publisher.ts';
import { PubsubReplay } from './replay.ts';
import { PubsubSource } from './source.ts';

export interface PubsubOptions {
  readonly projectId: string;
  /** `host:port` of an emulator; without it Google's own, with the machine's credentials. */
  readonly emulator?: string;
  readonly epochs: Epochs;
  readonly clock?: Clock;
  readonly telemetry?: Telemetry;
  readonly limits?: Partial<PubsubLimits>;
}

/** The bus of a process on Pub/Sub: opens its connections when they are first used. */
export class PubsubBus {
  readonly publisher: Publisher;
  readonly replay: Replay;
  readonly #connection: Connection;
  readonly #epochs: Epochs;
  readonly #sources = new Set<PubsubSource>();

  constructor({ projectId, emulator, epochs, ...given }: PubsubOptions) {
    const { clock = systemClock, telemetry = silentTelemetry, limits = {} } = given;
    this.#connection = new Connection({
      projectId,
      ...(emulator !== undefined && { emulator }),
      clock,
      telemetry,
      limits: { ...pubsubLimits, ...limits },
    });
    this.#epochs = epochs;
    this.publisher = new PubsubPublisher(this.#connection);
    this.replay = new PubsubReplay(this.#connection, epochs);
  }

  /** The port to one subscription and its retry topic, closed with the bus. `ackDeadlineMs` is what it is provisioned with. */
  source(subscription: string, { ackDeadlineMs }: { readonly ackDeadlineMs: number }): Source {
    const connection = this.#connection;
    const feeds = [subscription, retryTopicOf(subscription)].map((name) => new Feed(name, connection));
    const source = new PubsubSource({ subscription, ackDeadlineMs, feeds, connection, epochs: this.#epochs });
    this.#sources.add(source);
    return source;
  }

  provisioning(settings: ProvisionSettings = provisionSettings): Provisioning {
    return new Provisioning(this.#connection, settings);
  }

  /** Gives back what no stage has started. Nothing may be called after it. */
  async close(): Promise<void> {
    await Promise.all([...this.#sources].map((source) => source.close()));
    await this.#connection.close();
  }
}
