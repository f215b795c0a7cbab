import { PermanentError, type OutgoingMessage } from '@meterflow/stage';
import type { Connection } from './connection.ts';
import { emptyMarker } from './leased.ts';

/** A message on its way out. */
export interface Outgoing {
  readonly message: OutgoingMessage;
  readonly bytes: number;
  readonly settle: (error?: Error) => void;
}

/**
 * One topic's publish calls. What is added while the calls in flight are as many as may be goes together in the next, so
 * batches grow with the load and nothing waits on a timer.
 */
export class TopicBatcher {
  readonly #topic: string;
  readonly #connection: Connection;
  readonly #waiting: Outgoing[] = [];
  #callsInFlight = 0;
  #scheduled = false;

  constructor(topic: string, connection: Connection) {
    this.#topic = topic;
    this.#connection = connection;
  }

  add(outgoing: Outgoing): void {
    this.#waiting.push(outgoing);
    if (!this.#scheduled) {
      this.#scheduled = true;
      // After the caller has added the rest of its group.
      queueMicrotask(() => {
        this.#scheduled = false;
        this.#sendWaiting();
      });
    }
  }

  #sendWaiting(): void {
    while (this.#waiting.length > 0 && this.#callsInFlight < this.#connection.limits.batchesInFlightMax) {
      void this.#send(this.#nextBatch());
    }
  }

  #nextBatch(): readonly Outgoing[] {
    const { batchMessagesMax, batchBytesMax } = this.#connection.limits;
    let [count, bytes] = [0, 0];
    for (const waiting of this.#waiting) {
      bytes += waiting.bytes;
      if (count === batchMessagesMax || (count > 0 && bytes > batchBytesMax)) {
        break;
      }
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }

  async #send(batch: readonly Outgoing[]): Promise<void> {
    this.#callsInFlight += 1;
    const failure = await this.#published(batch);
    if (failure instanceof PermanentError && batch.length > 1) {
      // One message that Pub/Sub will never take must not cost those of other groups that happened to go with it.
      for (const each of batch) {
        each.settle(await this.#published([each]));
      }
    } else {
      for (const { settle } of batch) {
        settle(failure);
      }
    }
    this.#callsInFlight -= 1;
    this.#sendWaiting();
  }

  /** Never rejects: resolves with what went wrong. */
  async #published(batch: readonly Outgoing[]): Promise<Error | undefined> {
    const request = {
      topic: this.#connection.topicPath(this.#topic),
      messages: batch.map(({ message: { payload, attributes } }) => ({
        data: payload,
        attributes: payload.length === 0 && Object.keys(attributes).length === 0 ? emptyMarker : attributes,
      })),
    };
    try {
      await this.#connection.call(`publish to ${this.#topic}`, (options) =>
        this.#connection.publisher.publish(request, options),
      );
      return undefined;
    } catch (error) {
      this.#connection.telemetry.count('bus_publishes_failed_total', batch.length, { topic: this.#topic });
      return error as Error;
    }
  }
}
