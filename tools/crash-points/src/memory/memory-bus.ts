import type { LeasedMessage, OutgoingMessage, Publisher, ReceiveRequest, Source } from '@meterflow/stage';
import type { Timeline } from '../world.ts';

interface Held {
  readonly message: Omit<LeasedMessage, 'deliveryAttempt'>;
  attempts: number;
  /** When it may be leased; `Infinity` once it is settled. */
  dueAtMs: number;
  /** Which delivery of it is the current one: what an older one says is late, and nobody listens. */
  lease: object | undefined;
}

/** Never due again, but for a replay. */
const settledAtMs = Infinity;

/** One subscription's messages, waiting, leased or settled. */
class MemorySubscription {
  epoch = 1;
  readonly held: Held[] = [];
  /** All before it are settled. */
  #from = 0;
  #settled = 0;
  readonly #onReady: (() => void)[] = [];

  get unsettled(): number {
    return this.held.length - this.#settled;
  }

  add(message: Omit<LeasedMessage, 'deliveryAttempt' | 'id'>): void {
    this.held.push({
      message: { ...message, id: String(this.held.length) },
      attempts: 0,
      dueAtMs: 0,
      lease: undefined,
    });
    this.#wake();
  }

  take(
    { messagesMax, bytesMax }: Pick<ReceiveRequest, 'messagesMax' | 'bytesMax'>,
    nowMs: number,
    untilMs: number,
  ): Delivery[] {
    const taken: Delivery[] = [];
    let bytes = 0;
    while (this.held[this.#from]?.dueAtMs === settledAtMs) {
      this.#from += 1;
    }
    for (let place = this.#from; place < this.held.length && taken.length < messagesMax; place++) {
      const held = this.held[place] as Held;
      if (held.dueAtMs > nowMs) {
        continue;
      }
      bytes += held.message.payload.length;
      if (taken.length > 0 && bytes > bytesMax) {
        break;
      }
      held.attempts += 1;
      held.dueAtMs = untilMs;
      const message = { ...held.message, deliveryAttempt: held.attempts };
      held.lease = message;
      taken.push(message);
    }
    return taken;
  }

  /** Changes those of the messages whose delivery is still the current one. */
  settle(messages: readonly LeasedMessage[], dueAtMs: number): void {
    for (const message of messages) {
      const held = this.held[Number(message.id)];
      if (held?.lease === message && held.dueAtMs !== settledAtMs) {
        held.dueAtMs = dueAtMs;
        this.#settled += dueAtMs === settledAtMs ? 1 : 0;
      }
    }
    this.#wake();
  }

  replay(fromMs: number): void {
    this.epoch += 1;
    this.#from = 0;
    for (const held of this.held) {
      held.lease = undefined;
      if (held.dueAtMs !== settledAtMs) {
        held.dueAtMs = 0;
      } else if (held.message.publishedAtMs >= fromMs) {
        held.dueAtMs = 0;
        this.#settled -= 1;
      }
    }
    this.#wake();
  }

  nextDueAtMs(): number {
    return this.held.reduce((least, { dueAtMs }) => Math.min(least, dueAtMs), Infinity);
  }

  /** Calls once, when something may have become due. */
  onReady(wake: () => void): void {
    this.#onReady.push(wake);
  }

  #wake(): void {
    this.#onReady.splice(0).forEach((wake) => {
      wake();
    });
  }
}

type Delivery = LeasedMessage;

const ackDeadlineMsDefault = 10_000;

/** A bus in memory, at least once, with leases, epochs and replays. What it holds, all processes share. */
export class MemoryBus {
  readonly publisher: Publisher;
  readonly #time: Timeline;
  readonly #ackDeadlineMs: number;
  readonly #topics = new Map<string, Set<MemorySubscription>>();
  readonly #subscriptions = new Map<string, MemorySubscription>();
  readonly #kept = new Map<
    string,
    {
      readonly payload: Uint8Array;
      readonly attributes: Readonly<Record<string, string>>;
      readonly publishedAtMs: number;
    }[]
  >();

  constructor(time: Timeline, ackDeadlineMs = ackDeadlineMsDefault) {
    this.#time = time;
    this.#ackDeadlineMs = ackDeadlineMs;
    this.publisher = { publish: (messages) => this.#publish(messages) };
  }

  declareTopic(topic: string): void {
    this.#listeners(topic);
  }

  /** Declares its topic, and its retry topic with it. */
  declareSubscription(name: string, topic: string, fromMs = 0): void {
    const subscription = new MemorySubscription();
    this.#subscriptions.set(name, subscription);
    this.#listeners(topic).add(subscription);
    this.#listeners(`${name}.retry`).add(subscription);
    for (const message of this.#kept.get(topic) ?? []) {
      if (message.publishedAtMs >= fromMs) {
        subscription.add(message);
      }
    }
  }

  source(name: string): Source {
    const subscription = this.#subscription(name);
    const nowMs = (): number => this.#time.nowMs();
    return {
      subscription: name,
      ackDeadlineMs: this.#ackDeadlineMs,
      epoch: () => Promise.resolve(subscription.epoch),
      receive: (request) => this.#receive(subscription, request),
      ack: (messages) =>
        settled(() => {
          subscription.settle(messages, settledAtMs);
        }),
      nack: (messages, delayMs) =>
        settled(() => {
          subscription.settle(messages, nowMs() + delayMs);
        }),
      extend: (messages) =>
        settled(() => {
          subscription.settle(messages, nowMs() + this.#ackDeadlineMs);
        }),
    };
  }

  /** Delivers what was published since a time once more, under a new epoch. */
  replay(subscription: string, fromMs: number): void {
    this.#subscription(subscription).replay(fromMs);
  }

  /** Messages that nobody has acked yet. */
  get unsettled(): number {
    return [...this.#subscriptions.values()].reduce((sum, { unsettled }) => sum + unsettled, 0);
  }

  /** Where messages wait, and how many. */
  backlog(): readonly string[] {
    return [...this.#subscriptions].flatMap(([name, { unsettled }]) =>
      unsettled === 0 ? [] : [`${name}: ${unsettled}`],
    );
  }

  #publish(messages: readonly OutgoingMessage[]): Promise<void> {
    const unknown = messages.find(({ topic }) => !this.#topics.has(topic));
    if (unknown !== undefined) {
      return Promise.reject(new Error(`nobody declared the topic ${unknown.topic}`));
    }
    for (const { topic, payload, attributes } of messages) {
      const message = { payload, attributes, publishedAtMs: this.#time.nowMs() };
      const kept = this.#kept.get(topic) ?? [];
      kept.push(message);
      this.#kept.set(topic, kept);
      this.#topics.get(topic)?.forEach((subscription) => {
        subscription.add(message);
      });
    }
    return Promise.resolve();
  }

  async #receive(subscription: MemorySubscription, request: ReceiveRequest): Promise<readonly LeasedMessage[]> {
    const { waitMs, signal } = request;
    const untilMs = this.#time.nowMs() + waitMs;
    while (!signal.aborted) {
      const nowMs = this.#time.nowMs();
      const taken = subscription.take(request, nowMs, nowMs + this.#ackDeadlineMs);
      if (taken.length > 0 || nowMs >= untilMs) {
        return taken;
      }
      await this.#ready(subscription, Math.max(1, Math.min(untilMs, subscription.nextDueAtMs()) - nowMs), signal);
    }
    return [];
  }

  /** Resolves when something may have become due, the signal aborts, or after `waitMs`. */
  async #ready(subscription: MemorySubscription, waitMs: number, signal: AbortSignal): Promise<void> {
    const ready = Promise.withResolvers<undefined>();
    const wake = (): void => {
      ready.resolve(undefined);
    };
    const forget = this.#time.after(waitMs, wake);
    subscription.onReady(wake);
    signal.addEventListener('abort', wake, { once: true });
    await ready.promise;
    signal.removeEventListener('abort', wake);
    forget();
  }

  #listeners(topic: string): Set<MemorySubscription> {
    const known = this.#topics.get(topic) ?? new Set();
    this.#topics.set(topic, known);
    return known;
  }

  #subscription(name: string): MemorySubscription {
    const found = this.#subscriptions.get(name);
    if (found === undefined) {
      throw new Error(`nobody declared the subscription ${name}`);
    }
    return found;
  }
}

function settled(change: () => void): Promise<void> {
  change();
  return Promise.resolve();
}
