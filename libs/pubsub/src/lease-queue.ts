import type { Clock, ReceiveRequest } from '@meterflow/stage';
import type { Leased } from './leased.ts';

export interface LeaseQueueOptions {
  readonly clock: Clock;
  /** How long a message waits here at most for its stage. */
  readonly unstartedMsMax: number;
  /** Called with what no stage came for. */
  readonly giveBack: (messages: readonly Leased[]) => void;
}

/** What was received and not yet handed out, in the order in which it came. */
export class LeaseQueue {
  readonly #options: LeaseQueueOptions;
  #messages: Leased[] = [];
  #watch: AbortController | undefined;

  constructor(options: LeaseQueueOptions) {
    this.#options = options;
  }

  get length(): number {
    return this.#messages.length;
  }

  add(messages: readonly Leased[]): void {
    this.#messages.push(...messages);
    if (this.#messages.length > 0 && this.#watch === undefined) {
      this.#watch = new AbortController();
      void this.#giveBackStale(this.#watch.signal);
    }
  }

  /** Stops before the message that would pass `bytesMax`, but always gives at least one of those that are there. */
  take({ messagesMax, bytesMax }: Pick<ReceiveRequest, 'messagesMax' | 'bytesMax'>): readonly Leased[] {
    this.#giveBackOlder();
    let [count, bytes] = [0, 0];
    for (const { payload } of this.#messages) {
      bytes += payload.length;
      if (count === messagesMax || (count > 0 && bytes > bytesMax)) {
        break;
      }
      count += 1;
    }
    return this.#messages.splice(0, count);
  }

  giveBackAll(): void {
    this.#watch?.abort();
    this.#watch = undefined;
    this.#giveBackFirst(this.#messages.length);
  }

  async #giveBackStale(signal: AbortSignal): Promise<void> {
    const { clock, unstartedMsMax } = this.#options;
    for (;;) {
      const [oldest] = this.#messages;
      const dueAtMs = (oldest?.receivedAtMs ?? clock.nowMs()) + unstartedMsMax;
      await clock.sleep(Math.max(1, dueAtMs - clock.nowMs()), signal);
      if (signal.aborted) {
        return;
      }
      this.#giveBackOlder();
      if (this.#messages.length === 0) {
        this.#watch = undefined;
        return;
      }
    }
  }

  #giveBackOlder(): void {
    const beforeMs = this.#options.clock.nowMs() - this.#options.unstartedMsMax;
    const index = this.#messages.findIndex(({ receivedAtMs }) => receivedAtMs > beforeMs);
    this.#giveBackFirst(index === -1 ? this.#messages.length : index);
  }

  #giveBackFirst(count: number): void {
    if (count > 0) {
      this.#options.giveBack(this.#messages.splice(0, count));
    }
  }
}
