import type { Clock } from '../clock.ts';
import type { LeasedMessage, OutgoingMessage } from '../message.ts';
import type { Publisher } from '../publisher.ts';
import type { ReceiveRequest, Source } from '../source.ts';

interface Held {
  readonly message: Omit<LeasedMessage, 'deliveryAttempt'>;
  attempts: number;
  visibleAtMs: number;
  settled: boolean;
}

/** One subscription in memory, at least once: what is leased and not acked in time comes again. */
export class SimulatedSubscription implements Source {
  readonly subscription: string;
  readonly ackDeadlineMs = 10_000;
  readonly #clock: Clock;
  readonly #held: Held[] = [];

  constructor(subscription: string, clock: Clock) {
    this.subscription = subscription;
    this.#clock = clock;
  }

  add(payload: Uint8Array, attributes: Readonly<Record<string, string>> = {}): void {
    const id = String(this.#held.length);
    const message = { id, payload, attributes, publishedAtMs: this.#clock.nowMs() };
    this.#held.push({ message, attempts: 0, visibleAtMs: 0, settled: false });
  }

  get unsettled(): number {
    return this.#held.filter(({ settled }) => !settled).length;
  }

  get deliveries(): number {
    return this.#held.reduce((sum, { attempts }) => sum + attempts, 0);
  }

  epoch(): Promise<number> {
    return Promise.resolve(1);
  }

  async receive({ messagesMax, waitMs, signal }: ReceiveRequest): Promise<readonly LeasedMessage[]> {
    const due = this.#due(messagesMax);
    if (due.length > 0) {
      return due;
    }
    if (!signal.aborted) {
      await this.#clock.sleep(waitMs, signal);
    }
    return signal.aborted ? [] : this.#due(messagesMax);
  }

  ack(messages: readonly LeasedMessage[]): Promise<void> {
    this.#each(messages, (held) => {
      held.settled = true;
    });
    return Promise.resolve();
  }

  nack(messages: readonly LeasedMessage[], delayMs: number): Promise<void> {
    this.#each(messages, (held) => {
      held.visibleAtMs = this.#clock.nowMs() + delayMs;
    });
    return Promise.resolve();
  }

  extend(messages: readonly LeasedMessage[]): Promise<void> {
    this.#each(messages, (held) => {
      held.visibleAtMs = this.#clock.nowMs() + this.ackDeadlineMs;
    });
    return Promise.resolve();
  }

  #due(messagesMax: number): readonly LeasedMessage[] {
    const nowMs = this.#clock.nowMs();
    const due = this.#held.filter(({ settled, visibleAtMs }) => !settled && visibleAtMs <= nowMs).slice(0, messagesMax);
    return due.map((held) => {
      held.attempts += 1;
      held.visibleAtMs = nowMs + this.ackDeadlineMs;
      return { ...held.message, deliveryAttempt: held.attempts };
    });
  }

  #each(messages: readonly LeasedMessage[], change: (held: Held) => void): void {
    for (const { id } of messages) {
      change(this.#held[Number(id)] as Held);
    }
  }
}

/** Keeps what was published, in order, repetitions and all. */
export class SimulatedPublisher implements Publisher {
  readonly published: OutgoingMessage[] = [];

  publish(messages: readonly OutgoingMessage[]): Promise<void> {
    this.published.push(...messages);
    return Promise.resolve();
  }
}
