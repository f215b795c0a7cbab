import type { Epochs, Replay, ReplayRequest } from '@meterflow/stage';
import { statusOf, type Connection } from './connection.ts';

/** Pub/Sub seeks no more finely than this, and clocks differ. */
const seekMarginMs = 1_000;
const snapshotLifeMs = 7 * 24 * 60 * 60 * 1_000;

/** Moves subscriptions back by seek, within what their topic keeps. */
export class PubsubReplay implements Replay {
  readonly #connection: Connection;
  readonly #epochs: Epochs;

  constructor(connection: Connection, epochs: Epochs) {
    this.#connection = connection;
    this.#epochs = epochs;
  }

  async replay({ subscription, fromMs }: ReplayRequest): Promise<void> {
    const { clock, limits, subscriber } = this.#connection;
    await this.#epochs.raise(subscription);
    // Until every source knows, and what was acked before it knew has arrived: an ack of what was handed out before would
    // settle what comes again.
    await clock.sleep(2 * limits.epochCacheMs + limits.ackTimeoutMs);
    // A seek settles everything before it: what waits must not be among that.
    const toMs = Math.max(0, Math.min(fromMs, await this.#oldestWaitingMs(subscription)) - seekMarginMs);
    await this.#connection.call(`seek of ${subscription}`, (options) =>
      subscriber.seek(
        { subscription: this.#connection.subscriptionPath(subscription), time: timestamp(toMs) },
        options,
      ),
    );
  }

  /**
   * When the oldest message that waits was published. By its definition a snapshot lives for seven days less the age of
   * that message, so one that is made and thrown away tells; where none can be made, everything is to come again.
   */
  async #oldestWaitingMs(subscription: string): Promise<number> {
    const { clock, subscriber } = this.#connection;
    const name = this.#connection.snapshotPath(`${subscription}.replay.${clock.nowMs()}`);
    try {
      const { expireTime } = await this.#connection.call(`snapshot of ${subscription}`, (options) =>
        subscriber.createSnapshot({ name, subscription: this.#connection.subscriptionPath(subscription) }, options),
      );
      await this.#connection.call('deletion of a snapshot', (options) =>
        subscriber.deleteSnapshot({ snapshot: name }, options),
      );
      return Number(expireTime?.seconds ?? 0) * 1_000 + (expireTime?.nanos ?? 0) / 1_000_000 - snapshotLifeMs;
    } catch (error) {
      if (statusOf((error as Error).cause) === 'failed-precondition') {
        return 0;
      }
      throw error;
    }
  }
}

/** In whole milliseconds, as Pub/Sub's messages write it. */
export function timestamp(ms: number): { readonly seconds: number; readonly nanos: number } {
  return { seconds: Math.floor(ms / 1_000), nanos: (Math.floor(ms) % 1_000) * 1_000_000 };
}
