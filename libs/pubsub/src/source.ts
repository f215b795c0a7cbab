import type { Epochs, LeasedMessage, ReceiveRequest, Source } from '@meterflow/stage';
import type { Connection } from './connection.ts';
import { EpochReader } from './epoch-reader.ts';
import type { Feed, ReceivedMessage } from './feed.ts';
import { LeaseBudget } from './lease-budget.ts';
import { leased, type Leased } from './leased.ts';
import { LeaseQueue } from './lease-queue.ts';

export interface SourceOptions {
  readonly subscription: string;
  readonly ackDeadlineMs: number;
  /** The subscription itself and the one of its retry topic. */
  readonly feeds: readonly Feed[];
  readonly connection: Connection;
  readonly epochs: Epochs;
}

/**
 * A subscription on Pub/Sub, by plain pulls: one is made when the stage asks, for no more than it asks for and has room
 * for, so nothing waits where we can't see it. What comes when nobody asks any more is queued for the next call, and goes
 * back unstarted when there is none within half an ack deadline.
 */
export class PubsubSource implements Source {
  readonly subscription: string;
  readonly ackDeadlineMs: number;
  readonly #options: SourceOptions;
  readonly #epoch: EpochReader;
  readonly #budget: LeaseBudget;
  readonly #queue: LeaseQueue;
  readonly #pulled = new Set<Feed>();
  readonly #working = new Set<Promise<void>>();
  #arrival = Promise.withResolvers<undefined>();
  #failure: Error | undefined;
  #stop = new AbortController();
  #signal: AbortSignal | undefined;

  constructor(options: SourceOptions) {
    const { subscription, ackDeadlineMs, connection } = options;
    const { clock, limits } = connection;
    this.subscription = subscription;
    this.ackDeadlineMs = ackDeadlineMs;
    this.#options = options;
    this.#epoch = new EpochReader(options.epochs, { subscription, clock, epochCacheMs: limits.epochCacheMs });
    this.#budget = new LeaseBudget({ ...limits, ackDeadlineMs });
    this.#queue = new LeaseQueue({
      clock,
      unstartedMsMax: ackDeadlineMs / 2,
      giveBack: (messages) => {
        this.#inBackground(this.#giveBack(messages));
      },
    });
  }

  epoch(): Promise<number> {
    return this.#epoch.current();
  }

  async receive(request: ReceiveRequest): Promise<readonly LeasedMessage[]> {
    const { clock } = this.#options.connection;
    const { signal, waitMs } = request;
    const untilMs = clock.nowMs() + waitMs;
    this.#stopWith(signal);
    while (!signal.aborted) {
      const messages = this.#queue.take(request);
      if (messages.length > 0) {
        return messages;
      }
      this.#pullIfAsked(request.messagesMax);
      const leftMs = untilMs - clock.nowMs();
      if (leftMs <= 0) {
        return [];
      }
      await this.#somethingNew(leftMs, signal);
    }
    return [];
  }

  async ack(messages: readonly LeasedMessage[]): Promise<void> {
    const nowMs = this.#options.connection.clock.nowMs();
    const all = messages as readonly Leased[];
    const byAckId = new Map(all.map((message) => [message.ackId, message]));
    await this.#epoch.current();
    this.#budget.settled(all, nowMs);
    this.#wake();
    // An ack that may be too late is sent all the same: what it says stays true.
    this.#countLate('acks', all.filter(({ leasedUntilMs }) => leasedUntilMs <= nowMs).length);
    await byFeed(all, (feed, ackIds) =>
      // Looked up again for each attempt: a replay may have been asked for since the last one.
      feed.ack(ackIds, async (part) => {
        const epoch = await this.#epoch.current();
        const due = part.filter((ackId) => (byAckId.get(ackId)?.epoch ?? 0) >= epoch);
        // What was handled before a replay was asked for must come once more.
        this.#countLate('acks', part.length - due.length);
        return due;
      }),
    );
  }

  async nack(messages: readonly LeasedMessage[], delayMs: number): Promise<void> {
    const held = this.#held(messages as readonly Leased[], 'nacks');
    this.#budget.givenBack(held, this.#options.connection.clock.nowMs());
    await byFeed(held, (feed, ackIds) => feed.modifyDeadline(ackIds, delayMs));
  }

  async extend(messages: readonly LeasedMessage[]): Promise<void> {
    const held = this.#held(messages as readonly Leased[], 'extensions');
    const leasedUntilMs = this.#options.connection.clock.nowMs() + this.ackDeadlineMs;
    await byFeed(held, (feed, ackIds) => feed.modifyDeadline(ackIds, this.ackDeadlineMs));
    for (const message of held) {
      message.leasedUntilMs = leasedUntilMs;
    }
  }

  /** Gives back what has not started. What has is its stage's to settle, before or after. */
  async close(): Promise<void> {
    this.#stopReceiving();
    await Promise.all(this.#working);
  }

  /** The stage's drain, also when it does not come to receive any more. */
  #stopWith(signal: AbortSignal): void {
    if (signal !== this.#signal) {
      this.#signal = signal;
      signal.addEventListener(
        'abort',
        () => {
          this.#stopReceiving();
        },
        { once: true },
      );
    }
  }

  /** Gives back what is queued, and what the pulls that are out still bring; a later `receive` begins anew. */
  #stopReceiving(): void {
    this.#stop.abort();
    this.#stop = new AbortController();
    this.#queue.giveBackAll();
  }

  /** One pull at a time from each feed. It outlives the call that began it: what it brings waits for the next. */
  #pullIfAsked(messagesMax: number): void {
    const { connection, feeds } = this.#options;
    const asked = this.#budget.room(messagesMax, connection.clock.nowMs());
    for (const feed of feeds) {
      if (asked > 0 && !this.#pulled.has(feed)) {
        this.#pulled.add(feed);
        this.#inBackground(this.#pull(feed, asked));
      }
    }
  }

  /** One pull, from the request to the queue. Never rejects: who receives next hears of a failure. */
  async #pull(feed: Feed, asked: number): Promise<void> {
    const { clock } = this.#options.connection;
    const stop = this.#stop.signal;
    const cancel = new AbortController();
    const cancelLate = (): void => {
      void clock.sleep(this.#options.connection.limits.pullGraceMs, cancel.signal).then(() => {
        cancel.abort();
      });
    };
    stop.addEventListener('abort', cancelLate, { once: true });
    let messages: readonly Leased[] = [];
    try {
      messages = await this.#leased(feed, await feed.pull(asked, cancel.signal));
    } catch (error) {
      this.#failure = error as Error;
    }
    stop.removeEventListener('abort', cancelLate);
    cancel.abort();
    this.#pulled.delete(feed);
    this.#budget.came(messages, clock.nowMs());
    if (stop.aborted) {
      await this.#giveBack(messages);
    } else {
      this.#queue.add(messages);
    }
    this.#wake();
  }

  /** Rejects where the epoch can't be told; what was received then goes back, for others would wait for it in vain. */
  async #leased(feed: Feed, received: readonly ReceivedMessage[]): Promise<readonly Leased[]> {
    const terms = { feed, nowMs: this.#options.connection.clock.nowMs(), ackDeadlineMs: this.ackDeadlineMs };
    if (received.length === 0) {
      return [];
    }
    try {
      const epoch = await this.#epoch.current();
      return received.map((message) => leased(message, { ...terms, epoch }));
    } catch (error) {
      await this.#giveBack(received.map((message) => leased(message, { ...terms, epoch: 0 })));
      throw error;
    }
  }

  #wake(): void {
    this.#arrival.resolve(undefined);
    this.#arrival = Promise.withResolvers<undefined>();
  }

  /** Resolves when a pull ended, there is room again, the time is over or the signal aborts; throws what a pull failed with. */
  async #somethingNew(leftMs: number, signal: AbortSignal): Promise<void> {
    const over = new AbortController();
    const wait = this.#options.connection.clock.sleep(leftMs, AbortSignal.any([signal, over.signal]));
    await Promise.race([this.#arrival.promise, wait]);
    over.abort();
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) {
      throw failure;
    }
  }

  async #giveBack(messages: readonly Leased[]): Promise<void> {
    // When this fails the leases run out, and the messages come again all the same.
    await this.nack(messages, 0).catch(() => undefined);
  }

  #inBackground(work: Promise<void>): void {
    this.#working.add(work);
    void work.finally(() => this.#working.delete(work));
  }

  /** Those whose lease has not run out: another may have the others by now, and they are no longer ours to move. */
  #held(messages: readonly Leased[], what: 'nacks' | 'extensions'): readonly Leased[] {
    const nowMs = this.#options.connection.clock.nowMs();
    const held = messages.filter(({ leasedUntilMs }) => leasedUntilMs > nowMs);
    this.#countLate(what, messages.length - held.length);
    return held;
  }

  #countLate(what: 'acks' | 'nacks' | 'extensions', late: number): void {
    if (late > 0) {
      this.#options.connection.telemetry.count(`bus_${what}_late_total`, late, { subscription: this.subscription });
    }
  }
}

async function byFeed(
  messages: readonly Leased[],
  call: (feed: Feed, ackIds: readonly string[]) => Promise<void>,
): Promise<void> {
  const groups = Map.groupBy(messages, ({ feed }) => feed);
  const outcomes = await Promise.allSettled(
    [...groups].map(([feed, group]) =>
      call(
        feed,
        group.map(({ ackId }) => ackId),
      ),
    ),
  );
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed !== undefined) {
    throw failed.reason;
  }
}
