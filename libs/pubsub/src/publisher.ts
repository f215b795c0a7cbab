import type { OutgoingMessage, Publisher } from '@meterflow/stage';
import type { Connection } from './connection.ts';
import { checkedSize } from './message-size.ts';
import { TopicBatcher } from './topic-batcher.ts';

/** Publishes in batches, one sequence of calls a topic; bounded in what waits. */
export class PubsubPublisher implements Publisher {
  readonly #connection: Connection;
  readonly #topics = new Map<string, TopicBatcher>();
  #bytesWaiting = 0;
  #room: PromiseWithResolvers<undefined> | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  async publish(messages: readonly OutgoingMessage[]): Promise<void> {
    // All of them before any is sent: a call that can't succeed publishes nothing.
    const sizes = messages.map(checkedSize);
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    // One call may pass the limit, when nothing else waits.
    while (this.#bytesWaiting > 0 && this.#bytesWaiting + bytes > this.#connection.limits.publishBytesMax) {
      this.#room ??= Promise.withResolvers<undefined>();
      await this.#room.promise;
    }
    this.#bytesWaiting += bytes;
    // All have ended before the first failure is told: nothing goes on behind the caller's back.
    const outcomes = await Promise.allSettled(messages.map((message, index) => this.#send(message, sizes[index] ?? 0)));
    this.#bytesWaiting -= bytes;
    this.#room?.resolve(undefined);
    this.#room = undefined;
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed !== undefined) {
      throw failed.reason;
    }
  }

  #send(message: OutgoingMessage, bytes: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (error?: Error): void => {
        if (error === undefined) {
          resolve();
        } else {
          reject(error);
        }
      };
      this.#batcher(message.topic).add({ message, bytes, settle });
    });
  }

  #batcher(topic: string): TopicBatcher {
    const batcher = this.#topics.get(topic) ?? new TopicBatcher(topic, this.#connection);
    this.#topics.set(topic, batcher);
    return batcher;
  }
}
