import { encodeReadingBatch, messageAttributes, topicName, type Lane } from '@meterflow/contracts';
import type { ReadingBatch } from '@meterflow/readings';
import type { Reject, Remark, Sources } from '@meterflow/receipts';
import { traceAttribute, type OutgoingMessage, type Publisher, type Span } from '@meterflow/stage';
import { attempt, type Patience } from './attempt.ts';
import { batchSpan } from './batch-span.ts';

/** Published together: one synced commit for so many messages. */
export const publishedTogetherMax = 16;
/** Stored together, unless it is the end; rejects also once they may hold on to so much of the content. */
const remarksTogether = 1_000;
const rejectsTogether = 8_000;
const rejectedBytesTogether = 4 * 1024 * 1024;

export interface OutboxPorts extends Patience {
  readonly publisher: Publisher;
  readonly sources: Sources;
}

/** The delivery that something is handed on of. */
export interface OutboxDelivery {
  readonly tenant: string;
  readonly lane: Lane;
  readonly sourceId: string;
  readonly label: string;
}

/** What a delivery of a source has found and not yet handed on: batches, rejects, remarks. */
export class Outbox {
  readonly #ports: OutboxPorts;
  readonly #delivery: OutboxDelivery;
  readonly #topic: string;
  #messages: { readonly message: OutgoingMessage; readonly span: Span }[] = [];
  #rejects: Reject[] = [];
  /** Content that came since rejects were stored. */
  #unstoredBytes = 0;
  #remarks: Remark[] = [];
  #batches = 0;

  constructor(ports: OutboxPorts, delivery: OutboxDelivery) {
    this.#ports = ports;
    this.#delivery = delivery;
    this.#topic = topicName('readings.accepted', delivery.lane);
  }

  /** Batches that were added so far. */
  get batches(): number {
    return this.#batches;
  }

  addRejects(rejects: readonly Reject[]): void {
    this.#rejects.push(...rejects);
  }

  addRemarks(remarks: readonly Remark[]): void {
    this.#remarks.push(...remarks);
  }

  /** So much content was read: what was found in it may hold on to it. */
  hasRead(bytes: number): void {
    this.#unstoredBytes += bytes;
  }

  addBatch(batch: ReadingBatch): void {
    this.#batches += 1;
    const span = batchSpan(this.#ports.telemetry, batch, this.#delivery.label);
    const attributes = {
      ...messageAttributes('ReadingBatch', this.#delivery.tenant),
      ...(span.traceparent === undefined ? {} : { [traceAttribute]: span.traceparent }),
    };
    this.#messages.push({ message: { topic: this.#topic, payload: encodeReadingBatch(batch), attributes }, span });
  }

  /** Hands on what has come together, once it is `least` messages; 1 hands on all. */
  async flush(least: number): Promise<void> {
    while (this.#messages.length >= least && this.#messages.length > 0) {
      const together = this.#messages.splice(0, publishedTogetherMax);
      const messages = together.map(({ message }) => message);
      await attempt(this.#ports, () => this.#ports.publisher.publish(messages));
      together.forEach(({ span }) => {
        span.end();
      });
    }
    const isMuch = this.#rejects.length >= rejectsTogether || this.#unstoredBytes >= rejectedBytesTogether;
    if (this.#rejects.length > 0 && (least === 1 || isMuch)) {
      this.#unstoredBytes = 0;
      const rejects = this.#rejects.splice(0);
      await attempt(this.#ports, () => this.#ports.sources.reject(this.#delivery.sourceId, rejects));
    }
    // A source may have many: seldom stored is soon enough, as nothing hangs on them.
    if (this.#remarks.length > 0 && (least === 1 || this.#remarks.length >= remarksTogether)) {
      const remarks = this.#remarks.splice(0);
      await attempt(this.#ports, () => this.#ports.sources.remark(this.#delivery.sourceId, remarks));
    }
  }
}
