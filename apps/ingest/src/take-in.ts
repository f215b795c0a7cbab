import { setImmediate as turn } from 'node:timers/promises';
import { encodeReadingBatch, messageAttributes, topicName, type Lane } from '@meterflow/contracts';
import {
  isLeftOut,
  UnreadableSourceError,
  type Mapping,
  type Reader,
  type ReaderCounts,
  type Steps,
} from '@meterflow/formats';
import { readingsPerBatchMax, type ReadingBatch } from '@meterflow/readings';
import {
  noRemarks,
  type Delivery,
  type Reject,
  type Remark,
  type RemarkCounts,
  type SourceKind,
  type Sources,
} from '@meterflow/receipts';
import {
  seriesPath,
  type IntervalLengths,
  type KeptLengths,
  type SeriesAt,
  type SeriesEnds,
} from '@meterflow/registry';
import {
  traceAttribute,
  TransientError,
  type Clock,
  type OutgoingMessage,
  type Publisher,
  type Span,
  type Telemetry,
} from '@meterflow/stage';
import { batchSpan } from './batch-span.ts';
import { mappingVersion } from './mapping-version.ts';
import { openReader, type SourceFormat } from './open-reader.ts';

export interface SourceRequest {
  readonly tenant: string;
  readonly kind: SourceKind;
  readonly lane: Lane;
  /** What makes a second delivery the same source; see `AcceptanceRequest`. */
  readonly identity: string;
  /** Names this delivery where its sender may ask for it again; see `AcceptanceRequest`. */
  readonly delivery?: string;
  readonly contentHash: string;
  readonly label: string;
  readonly format: SourceFormat;
  /** For a resume only where the acceptance was made under this very version; else that one is asked for. */
  readonly mapping: Mapping;
  /** Declared by `--source-version`; 0 when not given. */
  readonly sourceVersion: number;
  /** The content from its first byte; called again for each pass. */
  readonly bytes: () => AsyncIterable<Uint8Array>;
  /** Called when all is read, before the closing. Where it rejects, the source stays unfinished, and so does this. */
  readonly beforeClosing?: () => Promise<void>;
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
  /** A tenant's mapping as it was under this version, `name@version`; undefined where it is gone. */
  readonly mappingAt: (tenant: string, version: string) => Promise<Mapping | undefined>;
  /** The registered interval lengths of a tenant's series, now and as an acceptance fixed them. */
  readonly lengths: Pick<KeptLengths, 'newest' | 'at'>;
  /** Where series have come to, for mappings with a `sequence`. */
  readonly ends: Pick<SeriesEnds, 'fix' | 'settle' | 'refuse'>;
  /** How long readings are taken after their start: the windows of older ones are closed. */
  readonly keptMs: number;
  /** Aborts when the process drains: the source stays unfinished and is resumed by its next delivery. */
  readonly signal: AbortSignal;
  /** How long a bus or store that is down is waited for; without end when not told. */
  readonly patienceMs?: number;
}

export interface TakenIn {
  readonly sourceId: string;
  readonly counts: ReaderCounts;
  readonly batches: number;
  /** True where this very delivery was closed before: nothing was done again. */
  readonly replayed: boolean;
  /** Why the source as a whole, or all that follows from some place on, was not taken. */
  readonly refusal?: Reject;
}

/** Thrown when a source is to be resumed under settings that were removed since. A new acceptance takes it anew. */
export class SettingsGoneError extends Error {
  override readonly name = 'SettingsGoneError';
}

/** Thrown when the process drains while a source comes in. The same source sent again resumes it. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError';
}

/** Published together: one synced commit for so many messages. */
const publishedTogetherMax = 16;
/** Stored together, unless it is the end; rejects also once they may hold on to so much of the content. */
const remarksTogether = 1_000;
const rejectsTogether = 8_000;
const rejectedBytesTogether = 4 * 1024 * 1024;
const retryMs = 100;

/**
 * Takes one source in: when this resolves, every reading of it that was accepted is durable on the bus, and its rejects
 * and its closing are durable too. The order is the guarantee:
 * 1. the acceptance, which fixes all that the batches depend on, and where their series stand before it; 2. batches,
 * published and awaited; 3. rejects; 4. where the series stand then; 5. the closing. A process that dies in between leaves an unfinished source, whose next delivery makes the same
 * batches again; those that were published before are absorbed by their keys.
 */
export async function takeIn(request: SourceRequest, ports: TakeInPorts): Promise<TakenIn> {
  const newest = await attempt(ports, () => ports.lengths.newest(request.tenant));
  const delivery = await accept(request, newest, ports);
  if (delivery.finished) {
    return takenInBefore(delivery, ports);
  }
  const mapping = await acceptedMapping(request, delivery, ports);
  const lengths = await acceptedLengths(newest, delivery, ports);
  const intake = new Intake({ ...request, mapping, lengths }, ports, delivery);
  if (mapping.sequence !== undefined) {
    await intake.fixEnds();
  }
  if (mapping.onBadLine === 'reject-source') {
    const trial = await intake.pass('trial');
    if (trial.badLines > 0 || intake.refusal !== undefined) {
      return intake.rejectWhole(trial);
    }
  }
  return intake.close(await intake.pass('publish'));
}

async function accept(request: SourceRequest, lengths: IntervalLengths, ports: TakeInPorts): Promise<Delivery> {
  const { tenant, kind, identity, delivery, contentHash, label, mapping, sourceVersion } = request;
  const activation = await attempt(ports, () => ports.newestActivation(tenant));
  const nowMs = ports.clock.nowMs();
  return attempt(ports, () =>
    ports.sources.accept({
      tenant,
      kind,
      identity,
      ...(delivery === undefined ? {} : { delivery }),
      contentHash,
      label,
      mapping: mappingVersion(mapping),
      sourceVersion,
      activation,
      nowMs,
      readingsPerBatch: readingsPerBatchMax,
      startsFromMs: nowMs - ports.keptMs,
      intervalLengths: lengths.version,
    }),
  );
}

/** Repeats what the bus or a store could not take now; stops when the process drains, or patience is at its end. */
async function attempt<Result>(ports: TakeInPorts, call: () => Promise<Result>): Promise<Result> {
  const { clock, signal, telemetry, patienceMs = Infinity } = ports;
  const untilMs = clock.nowMs() + patienceMs;
  for (let waitMs = retryMs; ; waitMs = Math.min(10_000, waitMs * 2)) {
    if (signal.aborted) {
      throw new InterruptedError('the server stops; send the same source again to resume it');
    }
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof TransientError) || clock.nowMs() + waitMs > untilMs) {
        throw error;
      }
      telemetry.logger.warn('intake waits for the bus or a store', { error: error.message, waitMs });
      await clock.sleep(waitMs, signal);
    }
  }
}

/** The mapping that the acceptance fixed: another one would make other batches of the same source. */
async function acceptedMapping(request: SourceRequest, { acceptance }: Delivery, ports: TakeInPorts): Promise<Mapping> {
  if (acceptance.mapping === mappingVersion(request.mapping)) {
    return request.mapping;
  }
  const mapping = await ports.mappingAt(request.tenant, acceptance.mapping);
  if (mapping === undefined) {
    throw new SettingsGoneError(`this source was begun under the mapping ${acceptance.mapping}, which is gone`);
  }
  return mapping;
}

async function acceptedLengths(
  newest: IntervalLengths,
  { acceptance: { tenant, intervalLengths } }: Delivery,
  ports: TakeInPorts,
): Promise<IntervalLengths> {
  if (intervalLengths === newest.version) {
    return newest;
  }
  const lengths = await attempt(ports, () => ports.lengths.at(tenant, intervalLengths));
  if (lengths === undefined) {
    throw new SettingsGoneError(`this source was begun under interval lengths (${intervalLengths}) that are gone`);
  }
  return lengths;
}

async function takenInBefore({ sourceId, acceptance }: Delivery, { sources }: TakeInPorts): Promise<TakenIn> {
  const receipt = await sources.receipt(acceptance.tenant, sourceId);
  if (receipt === undefined) {
    throw new InterruptedError(`the receipt of ${sourceId} was removed meanwhile; send the source again`);
  }
  const { received, accepted, rejected, batches, rejects } = receipt;
  const refusal = rejects.find(({ line }) => line === 0);
  const counts = { received, accepted, rejected };
  return { sourceId, counts, batches, replayed: true, ...(refusal === undefined ? {} : { refusal }) };
}

/** The request, its mapping being the accepted one, as the lengths are. */
interface AcceptedRequest extends SourceRequest {
  readonly lengths: IntervalLengths;
}

/** What content is read for: to see whose readings it has, whether it has bad lines, or to be taken in. */
type Purpose = 'look' | 'trial' | 'publish';

interface PassCounts extends ReaderCounts {
  readonly badLines: number;
}

type WhatWasRead = Pick<Reader, 'counts' | 'ends' | 'leftOut' | 'remarked'>;

/** What is there of content that no reader could be made for. */
const nothingRead: WhatWasRead = {
  counts: { received: 0, accepted: 0, rejected: 0 },
  ...{ ends: [], leftOut: 0, remarked: noRemarks },
};

/** One delivery of a source. */
class Intake {
  refusal: Reject | undefined;
  /** Where its series stood before it, and stand after the last pass. */
  #before = new Map<string, SeriesAt>();
  #after: readonly SeriesAt[] = [];
  readonly #request: AcceptedRequest;
  readonly #ports: TakeInPorts;
  readonly #delivery: Delivery;
  readonly #topic: string;
  #messages: { readonly message: OutgoingMessage; readonly span: Span }[] = [];
  #rejects: Reject[] = [];
  /** Content that came since rejects were stored. */
  #unstoredBytes = 0;
  #remarks: Remark[] = [];
  #remarked: RemarkCounts = noRemarks;
  #batches = 0;

  constructor(request: AcceptedRequest, ports: TakeInPorts, delivery: Delivery) {
    this.#request = request;
    this.#ports = ports;
    this.#delivery = delivery;
    this.#topic = topicName('readings.accepted', request.lane);
  }

  /** Fixes where the series of the content stand before it. One that the mapping itself names needs no look. */
  async fixEnds(): Promise<void> {
    const { meter, channel } = this.#request.mapping;
    if (!('constant' in meter && 'constant' in channel)) {
      await this.pass('look');
    }
    const names =
      'constant' in meter && 'constant' in channel
        ? [{ meter: meter.constant, channel: channel.constant }]
        : this.#after.map(({ name }) => name);
    const before = await attempt(this.#ports, () => this.#ports.ends.fix(this.#asking, names));
    this.#before = new Map(before.map((series) => [seriesPath(series.name.meter, series.name.channel), series]));
  }

  /** Reads the content once. Unless it is to be published it leaves nothing behind but what it found. */
  async pass(purpose: Purpose): Promise<PassCounts> {
    let reader: Reader | undefined;
    try {
      reader = this.#reader(purpose);
      let bytes = 0;
      for await (const piece of this.#request.bytes()) {
        this.#unstoredBytes += piece.length;
        await this.#walk(reader.push(piece));
        bytes += piece.length;
        this.#request.onProgress?.({ bytes, counts: reader.counts });
      }
      await this.#walk(reader.end());
    } catch (error) {
      if (!(error instanceof UnreadableSourceError)) {
        throw error;
      }
      if (purpose !== 'look') {
        this.#refuse({ code: error.code, reason: error.message });
      }
    }
    await this.#flush(1);
    return this.#passed(reader ?? nothingRead, purpose);
  }

  #passed(read: WhatWasRead, purpose: Purpose): PassCounts {
    this.#after = read.ends;
    this.#remarked = purpose === 'publish' ? read.remarked : noRemarks;
    return { ...read.counts, badLines: read.counts.rejected - read.leftOut };
  }

  /** After each step everybody else has their turn, whatever the content is. */
  async #walk(steps: Steps): Promise<void> {
    for (let isDone = false; !isDone;) {
      isDone = steps.next().done === true;
      await this.#flush(publishedTogetherMax);
      await turn();
    }
  }

  /** One bad line and the mapping's `onBadLine: reject-source`: nothing of it is taken. */
  async rejectWhole(trial: PassCounts): Promise<TakenIn> {
    if (this.refusal === undefined) {
      const reason = `the mapping says reject-source, and ${trial.badLines} of ${trial.received} lines are bad`;
      this.#refuse({ code: 'source-rejected', reason });
      await this.#flush(1);
    }
    this.#after = [];
    const names = [...this.#before.values()].map(({ name }) => name);
    await attempt(this.#ports, () => this.#ports.ends.refuse(this.#asking, names));
    return this.close({ received: trial.received, accepted: 0, rejected: trial.received });
  }

  async close(counts: ReaderCounts): Promise<TakenIn> {
    const { sourceId } = this.#delivery;
    const { clock, sources, telemetry } = this.#ports;
    await this.#request.beforeClosing?.();
    await attempt(this.#ports, () => this.#ports.ends.settle(this.#asking, this.#after));
    await attempt(this.#ports, () =>
      sources.close(sourceId, {
        ...counts,
        remarked: this.#remarked,
        batches: this.#batches,
        atMs: clock.nowMs(),
      }),
    );
    const labels = { tenant: this.#request.tenant };
    telemetry.count('ingest_readings_accepted_total', counts.accepted, labels);
    telemetry.count('ingest_readings_rejected_total', counts.rejected, labels);
    const refusal = this.refusal === undefined ? {} : { refusal: this.refusal };
    return { sourceId, counts, batches: this.#batches, replayed: false, ...refusal };
  }

  get #asking(): Parameters<SeriesEnds['fix']>[0] {
    const { acceptance, sourceId } = this.#delivery;
    return { tenant: acceptance.tenant, acceptance: acceptance.id, isFirst: sourceId === `${acceptance.id}.1` };
  }

  #reader(purpose: Purpose): Reader {
    const { acceptance, sourceId } = this.#delivery;
    const { tenant, mapping, format, lengths } = this.#request;
    const { acceptedAtMs, activation, readingsPerBatch, sourceVersion, startsFromMs } = acceptance;
    return openReader(format, {
      mapping,
      header: { tenant, layer: 'raw', sourceId, acceptedAtMs, activation },
      readingsPerBatch,
      sourceVersion,
      startsFromMs,
      registeredMs: (meter, channel) => lengths.of(meter, channel),
      endBefore: ({ meter, channel }) => this.#before.get(seriesPath(meter, channel))?.end,
      onBatch: (batch) => {
        if (purpose === 'publish') {
          this.#add(batch);
        }
      },
      onRejects: (rejects) => {
        this.#rejects.push(...rejects.filter(({ code }) => toldIn(purpose, code)));
      },
      onRemarks: (remarks) => {
        if (purpose === 'publish') {
          this.#remarks.push(...remarks);
        }
      },
    });
  }

  /** Line 0 stands for the source itself. */
  #refuse({ code, reason }: Pick<Reject, 'code' | 'reason'>): void {
    this.refusal = { line: 0, column: '', code, reason, text: '' };
    this.#rejects.push(this.refusal);
  }

  #add(batch: ReadingBatch): void {
    this.#batches += 1;
    const span = batchSpan(this.#ports.telemetry, batch, this.#request.label);
    const attributes = {
      ...messageAttributes('ReadingBatch', this.#request.tenant),
      ...(span.traceparent === undefined ? {} : { [traceAttribute]: span.traceparent }),
    };
    this.#messages.push({ message: { topic: this.#topic, payload: encodeReadingBatch(batch), attributes }, span });
  }

  /** Hands on what has come together, once it is `least` messages. */
  async #flush(least: number): Promise<void> {
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

/** What a trial finds is told where it refuses the source for it: lines that are only left out are told when it is taken. */
function toldIn(purpose: Purpose, code: string): boolean {
  return purpose === 'publish' || (purpose === 'trial' && !isLeftOut(code));
}
