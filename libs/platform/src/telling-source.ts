import type { Clock, LeasedMessage, ReceiveRequest, Source } from '@meterflow/stage';

const tellEveryMs = 1_000;

export interface TellingSourceOptions {
  readonly source: Source;
  readonly clock: Clock;
  /** Called about once a second while messages are in hand: when the oldest of them was published. */
  readonly tell: (oldestPublishedAtMs: number) => Promise<void>;
}

/** A source that tells how old what its stage has in hand is: Pub/Sub itself tells nobody in time. */
export class TellingSource implements Source {
  readonly #options: TellingSourceOptions;
  readonly #inHand = new Set<LeasedMessage>();
  readonly #closed = new AbortController();
  #isTelling = false;

  constructor(options: TellingSourceOptions) {
    this.#options = options;
  }

  get subscription(): string {
    return this.#options.source.subscription;
  }

  get ackDeadlineMs(): number {
    return this.#options.source.ackDeadlineMs;
  }

  epoch(): Promise<number> {
    return this.#options.source.epoch();
  }

  async receive(request: ReceiveRequest): Promise<readonly LeasedMessage[]> {
    const messages = await this.#options.source.receive(request);
    messages.forEach((message) => this.#inHand.add(message));
    void this.#tellWhileInHand();
    return messages;
  }

  ack(messages: readonly LeasedMessage[]): Promise<void> {
    this.#letGo(messages);
    return this.#options.source.ack(messages);
  }

  nack(messages: readonly LeasedMessage[], delayMs: number): Promise<void> {
    this.#letGo(messages);
    return this.#options.source.nack(messages, delayMs);
  }

  extend(messages: readonly LeasedMessage[]): Promise<void> {
    return this.#options.source.extend(messages);
  }

  /** Tells nothing any more. */
  close(): void {
    this.#closed.abort();
  }

  #letGo(messages: readonly LeasedMessage[]): void {
    messages.forEach((message) => this.#inHand.delete(message));
  }

  async #tellWhileInHand(): Promise<void> {
    const { clock, tell } = this.#options;
    const { signal } = this.#closed;
    if (this.#isTelling) {
      return;
    }
    this.#isTelling = true;
    while (this.#inHand.size > 0 && !signal.aborted) {
      const oldest = Math.min(...[...this.#inHand].map(({ publishedAtMs }) => publishedAtMs));
      // Nobody is held back while Redis is down.
      await tell(oldest).catch(() => undefined);
      await clock.sleep(tellEveryMs, signal);
    }
    this.#isTelling = false;
  }
}
