import { decodeReadingBatch, topicName, type Topic } from '@meterflow/contracts';
import { dataDirectory, openBus, type EmbeddedBus } from '@meterflow/embedded';
import type { ReadingBatch } from '@meterflow/readings';
import { systemClock } from '@meterflow/stage';

const messagesMax = 1_000;
const bytesMax = 64 * 1024 * 1024;
const waitMs = 500;
const ackDeadlineMs = 60_000;

/** Hears all that is published on topics of batches of readings, beside the stages, from when it is opened. */
export class Witness {
  readonly #bus: EmbeddedBus;
  readonly #subscriptions: ReadonlyMap<string, readonly string[]>;

  constructor(dataDir: string, topics: readonly Topic[], lanes: readonly string[]) {
    this.#bus = openBus({ directory: dataDirectory(dataDir), clock: systemClock, owner: 'witness' });
    this.#subscriptions = new Map(
      topics.map((topic) => [
        topic,
        lanes.map((lane) => {
          const name = `witness-${topic}.${lane}`;
          this.#bus.declareSubscription({ name, topic: topicName(topic, lane), from: 'start' });
          return name;
        }),
      ]),
    );
  }

  /** The batches of the topic since the last look, of all lanes. */
  async heard(topic: Topic): Promise<readonly ReadingBatch[]> {
    const batches: ReadingBatch[] = [];
    for (const name of this.#subscriptions.get(topic) ?? []) {
      const source = this.#bus.source(name, { ackDeadlineMs });
      for (;;) {
        const request = { messagesMax, bytesMax, waitMs, signal: new AbortController().signal };
        const messages = await source.receive(request);
        if (messages.length === 0) {
          break;
        }
        batches.push(...messages.map(({ payload }) => decodeReadingBatch(payload)));
        await source.ack(messages);
      }
    }
    return batches;
  }

  close(): Promise<void> {
    return this.#bus.close();
  }
}
