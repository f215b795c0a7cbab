import type { LeasedMessage, Source } from '@meterflow/stage';

export interface HeldLeasesOptions {
  readonly source: Source;
  /** Shorter than the bus's own. */
  readonly ackDeadlineMs: number;
  readonly onSettled: (messages: readonly LeasedMessage[]) => void;
}

/**
 * A source whose leases run out sooner than Pub/Sub has it, which knows no shorter deadline than ten seconds: what its
 * owner has neither settled nor extended by then is given back from outside, and what it says of it later is not heard.
 */
export class HeldLeases implements Source {
  readonly subscription: string;
  readonly ackDeadlineMs: number;
  readonly #source: Source;
  readonly #onSettled: HeldLeasesOptions['onSettled'];
  readonly #held = new Map<LeasedMessage, NodeJS.Timeout>();
  #givingBack: Promise<unknown> = Promise.resolve();
  #isDropped = false;

  constructor({ source, ackDeadlineMs, onSettled }: HeldLeasesOptions) {
    this.subscription = source.subscription;
    this.ackDeadlineMs = ackDeadlineMs;
    this.#source = source;
    this.#onSettled = onSettled;
  }

  epoch(): Promise<number> {
    return this.#source.epoch();
  }

  async receive(request: Parameters<Source['receive']>[0]): Promise<readonly LeasedMessage[]> {
    const messages = await this.#source.receive(request);
    this.#hold(messages);
    if (this.#isDropped) {
      await this.drop();
    }
    return messages;
  }

  async ack(messages: readonly LeasedMessage[]): Promise<void> {
    const held = this.#letGo(messages);
    await this.#source.ack(held).catch((error: unknown) => {
      this.#hold(held);
      throw error;
    });
    this.#onSettled(held);
  }

  nack(messages: readonly LeasedMessage[], delayMs: number): Promise<void> {
    return this.#source.nack(this.#letGo(messages), delayMs);
  }

  async extend(messages: readonly LeasedMessage[]): Promise<void> {
    const held = this.#letGo(messages);
    this.#hold(held);
    await this.#source.extend(held);
  }

  /** Gives back all that an ended owner held. */
  async drop(): Promise<void> {
    this.#isDropped = true;
    this.#giveBack([...this.#held.keys()]);
    await this.#givingBack;
  }

  #hold(messages: readonly LeasedMessage[]): void {
    for (const message of messages) {
      this.#held.set(
        message,
        setTimeout(() => {
          this.#giveBack([message]);
        }, this.ackDeadlineMs),
      );
    }
  }

  /** Those that were held, which are so no longer. */
  #letGo(messages: readonly LeasedMessage[]): readonly LeasedMessage[] {
    return messages.filter((message) => {
      clearTimeout(this.#held.get(message));
      return this.#held.delete(message);
    });
  }

  /** When it fails, the bus's own deadline does the same later. */
  #giveBack(messages: readonly LeasedMessage[]): void {
    const nack = this.#source.nack(this.#letGo(messages), 0).catch(() => undefined);
    this.#givingBack = Promise.all([this.#givingBack, nack]);
  }
}
