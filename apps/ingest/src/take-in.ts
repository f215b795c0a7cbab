import { encodeReadingBatch, messageAttributes, topicName, type Lane } from '@meterflow/contracts';
import { createReader, UnreadableSourceError, type Format, type Mapping, type ReaderCounts } from '@meterflow/formats';
import { readingsPerBatchMax, type ReadingBatch } from '@meterflow/readings';
import type { Delivery, Reject, SourceKind, Sources } from '@meterflow/receipts';
import { TransientError, type Clock, type OutgoingMessage, type Publisher, type Telemetry } from '@meterflow/stage';

export interface SourceRequest {
  readonly tenant: string;
  readonly kind: SourceKind;
  readonly lane: Lane;
  /** What makes a second delivery the same source; see `AcceptanceRequest`. */
  readonly identity: string;
  readonly contentHash: string;
  readonly label: string;
  readonly format: Format;
  readonly mapping: Mapping;
  /** Declared by `--source-version`; 0 when not given. */
  readonly sourceVersion: number;
  /** The content from its first byte; called again for each pass. */
  readonly bytes: () => AsyncIterable<Uint8Array>;
  /** Called about once a piece of content. */
  readonly onProgress?: (progress: { readonly bytes: number; readonly counts: ReaderCounts }) => void;
}

export interface TakeInPorts {
  readonly sources: Sources;
  readonly publisher: Publisher;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  /** The number of the tenant's newest activation, known no longer ago than the activation lease. */
  readonly newestActivation: (tenant: string) => Promise<number>;
  /** Readings that start before are refused: their windows are closed. */
  readonly startsFromMs: () => number;
  /** Aborts when the process drains: the source stays unfinished and is resumed by its next delivery. */
  readonly signal: AbortSignal;
}

export interface TakenIn {
  readonly sourceId: string;
  readonly counts: ReaderCounts;
  readonly batches: number;
}

/** Thrown when the process drains while a source comes in. The same source sent again resumes it. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError';
}

/** Published together: one synced commit for so many messages. */
const publishedTogetherMax = 16;
const retryMs = 100;

/**
 * Takes one source in: when this resolves, every reading of it that was accepted is durable on the bus, and its rejects
 * and its closing are durable too. The order is the guarantee:
 * 1. the acceptance, which fixes all that the batches depend on; 2. batches, published and awaited; 3. rejects;
 * 4. the closing. A process that dies in between leaves an unfinished source, whose next delivery makes the same
 * batches again; those that were published before are absorbed by their keys.
 */
export async function takeIn(request: SourceRequest, ports: TakeInPorts): Promise<TakenIn> {
  const { tenant, kind, identity, contentHash, label, mapping, sourceVersion } = request;
  const delivery = await ports.sources.accept({
    tenant,
    kind,
    identity,
    contentHash,
    label,
    mapping: mapping.name,
    sourceVersion,
    activation: await ports.newestActivation(tenant),
    nowMs: ports.clock.nowMs(),
    readingsPerBatch: readingsPerBatchMax,
  });
  const intake = new Intake(request, ports, delivery);
  if (mapping.onBadLine === 'reject-source') {
    const trial = await intake.pass({ publishes: false });
    if (trial.rejected > 0) {
      return intake.rejectWhole(trial);
    }
  }
  return intake.close(await intake.pass({ publishes: true }));
}

/** One delivery of a source. */
class Intake {
  readonly #request: SourceRequest;
  readonly #ports: TakeInPorts;
  readonly #delivery: Delivery;
  readonly #topic: string;
  #messages: OutgoingMessage[] = [];
  #rejects: Reject[] = [];
  #batches = 0;

  constructor(request: SourceRequest, ports: TakeInPorts, delivery: Delivery) {
    this.#request = request;
    this.#ports = ports;
    this.#delivery = delivery;
    this.#topic = topicName('readings.accepted', request.lane);
  }

  /** Reads the content once. Without publishing it only finds out what would be rejected. */
  async pass({ publishes }: { readonly publishes: boolean }): Promise<ReaderCounts> {
    const { acceptance, sourceId } = this.#delivery;
    const { tenant, mapping, format } = this.#request;
    const { acceptedAtMs, activation, readingsPerBatch, sourceVersion } = acceptance;
    const reader = createReader(format, {
      mapping,
      header: { tenant, layer: 'raw', sourceId, acceptedAtMs, activation },
      readingsPerBatch,
      sourceVersion,
      startsFromMs: this.#ports.startsFromMs(),
      onBatch: (batch) => {
        if (publishes) {
          this.#add(batch);
        }
      },
      onRejects: (rejects) => {
        this.#rejects.push(...rejects);
      },
    });
    try {
      let bytes = 0;
      for await (const piece of this.#request.bytes()) {
        reader.push(piece);
        bytes += piece.length;
        await this.#flush(publishedTogetherMax);
        this.#request.onProgress?.({ bytes, counts: reader.counts });
      }
      reader.end();
    } catch (error) {
      if (!(error instanceof UnreadableSourceError)) {
        throw error;
      }
      this.#rejects.push({ line: 0, column: '', code: error.code, reason: error.message, text: '' });
    }
    await this.#flush(1);
    return reader.counts;
  }

  /** One bad line and the mapping's `onBadLine: reject-source`: nothing of it is taken. */
  async rejectWhole(trial: ReaderCounts): Promise<TakenIn> {
    const reason = `the mapping says reject-source, and ${trial.rejected} of ${trial.received} lines are bad`;
    this.#rejects.push({ line: 0, column: '', code: 'source-rejected', reason, text: '' });
    await this.#flush(1);
    return this.close({ received: trial.received, accepted: 0, rejected: trial.received });
  }

  async close(counts: ReaderCounts): Promise<TakenIn> {
    const { sourceId } = this.#delivery;
    const { clock, sources, telemetry } = this.#ports;
    await this.#attempt(() => sources.close(sourceId, { ...counts, batches: this.#batches, atMs: clock.nowMs() }));
    const labels = { tenant: this.#request.tenant };
    telemetry.count('ingest_readings_accepted_total', counts.accepted, labels);
    telemetry.count('ingest_readings_rejected_total', counts.rejected, labels);
    return { sourceId, counts, batches: this.#batches };
  }

  #add(batch: ReadingBatch): void {
    this.#batches += 1;
    const attributes = messageAttributes('ReadingBatch', this.#request.tenant);
    this.#messages.push({ topic: this.#topic, payload: encodeReadingBatch(batch), attributes });
  }

  /** Hands on what has come together, once it is `least` messages. */
  async #flush(least: number): Promise<void> {
    while (this.#messages.length >= least && this.#messages.length > 0) {
      const together = this.#messages.splice(0, publishedTogetherMax);
      await this.#attempt(() => this.#ports.publisher.publish(together));
    }
    if (this.#rejects.length > 0) {
      const rejects = this.#rejects.splice(0);
      await this.#attempt(() => this.#ports.sources.reject(this.#delivery.sourceId, rejects));
    }
  }

  /** Repeats what the bus or a store could not take now; stops when the process drains. */
  async #attempt(call: () => Promise<void>): Promise<void> {
    const { clock, signal, telemetry } = this.#ports;
    for (let waitMs = retryMs; ; waitMs = Math.min(10_000, waitMs * 2)) {
      if (signal.aborted) {
        throw new InterruptedError('the server stops; send the same source again to resume it');
      }
      try {
        await call();
        return;
      } catch (error) {
        if (!(error instanceof TransientError)) {
          throw error;
        }
        telemetry.logger.warn('intake waits for the bus or a store', { error: error.message, waitMs });
        await clock.sleep(waitMs, signal);
      }
    }
  }
}
