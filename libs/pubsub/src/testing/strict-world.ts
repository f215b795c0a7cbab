import {
  silentTelemetry,
  type LeasedMessage,
  type ReceiveRequest,
  type Source,
  type Telemetry,
} from '@meterflow/stage';
import { PubsubBus, type PubsubLimits } from '../index.ts';
import { AdvancingClock } from './advancing-clock.ts';
import { FakePubsub } from './fake-pubsub.ts';
import { SharedEpochs } from './shared-epochs.ts';

const ackDeadlineMs = 10_000;

/** A strict server with the topic `readings` and its subscription `stage`, and any number of buses on it. */
export class StrictWorld {
  readonly clock = new AdvancingClock();
  readonly server = new FakePubsub(this.clock);
  readonly epochs = new SharedEpochs();
  readonly counts = new Map<string, number>();
  readonly #buses: PubsubBus[] = [];

  static async open(): Promise<StrictWorld> {
    const world = new StrictWorld();
    await world.server.start();
    await world.bus().provisioning({ ackDeadlineMs, retentionMs: 3_600_000 }).provision([declaration]);
    world.server.calls.length = 0;
    return world;
  }

  bus(limits: Partial<PubsubLimits> = {}): PubsubBus {
    const bus = new PubsubBus({
      projectId: 'strict',
      emulator: this.server.address,
      epochs: this.epochs,
      clock: this.clock,
      telemetry: this.#telemetry,
      limits: { epochCacheMs: 20, callRetryDelayMs: 1, pullGraceMs: 50, ...limits },
    });
    this.#buses.push(bus);
    return bus;
  }

  source(limits: Partial<PubsubLimits> = {}): Source {
    return this.bus(limits).source('stage', { ackDeadlineMs });
  }

  publish(...payloads: string[]): Promise<void> {
    return this.bus().publisher.publish(payloads.map(outgoing));
  }

  calls(method: string): number {
    return this.server.calls.filter((call) => call === method).length;
  }

  async close(): Promise<void> {
    await Promise.all(this.#buses.map((bus) => bus.close()));
    this.server.stop();
  }

  readonly #telemetry: Telemetry = {
    ...silentTelemetry,
    count: (name, value = 1) => {
      this.counts.set(name, (this.counts.get(name) ?? 0) + value);
    },
  };
}

const declaration = { topic: 'readings', subscriptions: ['stage'] };

export function outgoing(payload: string): { topic: string; payload: Uint8Array; attributes: Record<string, string> } {
  return { topic: 'readings', payload: Buffer.from(payload), attributes: { tenant: 'acme' } };
}

export function receive(source: Source, request: Partial<ReceiveRequest> = {}): Promise<readonly LeasedMessage[]> {
  const { signal } = new AbortController();
  return source.receive({ messagesMax: 16, bytesMax: 1_000_000, waitMs: 1_000, signal, ...request });
}

/** Receives until so many have come. */
export async function receiveAll(source: Source, count: number): Promise<LeasedMessage[]> {
  const messages: LeasedMessage[] = [];
  while (messages.length < count) {
    messages.push(...(await receive(source, { messagesMax: count - messages.length })));
  }
  return messages;
}

export const texts = (messages: readonly LeasedMessage[]): string[] =>
  messages.map(({ payload }) => Buffer.from(payload).toString());
