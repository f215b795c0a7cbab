import { setImmediate as turn } from 'node:timers/promises';
import { isLeftOut, UnreadableSourceError, type Reader, type ReaderCounts, type Steps } from '@meterflow/formats';
import { noRemarks, type Delivery, type Reject, type RemarkCounts } from '@meterflow/receipts';
import type { SeriesName } from '@meterflow/readings';
import {
  noneUnknown,
  seriesPath,
  type IntervalLengths,
  type SeriesAt,
  type SeriesEnds,
  type UnknownNames,
} from '@meterflow/registry';
import { attempt } from './attempt.ts';
import { openReader } from './open-reader.ts';
import { Outbox, publishedTogetherMax } from './outbox.ts';
import type { SourceRequest, TakeInPorts, TakenIn } from './source-request.ts';

/** The request, its mapping being the accepted one, as the lengths are. */
export interface AcceptedRequest extends SourceRequest {
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
export class SourceDelivery {
  refusal: Reject | undefined;
  /** Where its series stood before it, and stand after the last pass. */
  #before = new Map<string, SeriesAt>();
  #after: readonly SeriesAt[] = [];
  /** Its series that are refused, since they are not registered; and all that it names, while it is only looked at. */
  #unknown: UnknownNames = noneUnknown;
  #named: Map<string, SeriesName> | undefined;
  readonly #request: AcceptedRequest;
  readonly #ports: TakeInPorts;
  readonly #delivery: Delivery;
  #remarked: RemarkCounts = noRemarks;
  readonly #outbox: Outbox;

  constructor(request: AcceptedRequest, ports: TakeInPorts, delivery: Delivery) {
    this.#request = request;
    this.#ports = ports;
    this.#delivery = delivery;
    this.#outbox = new Outbox(ports, { ...request, sourceId: delivery.sourceId });
  }

  /** Fixes which series of the content are refused, for a tenant that took registered ones alone when the delivery began. */
  async fixUnknown(): Promise<void> {
    const { tenant } = this.#request;
    const { sourceId, resumed, refusesUnknown } = this.#delivery;
    if (refusesUnknown === false) {
      return;
    }
    const { unknown } = this.#ports;
    const fixed = resumed ? await attempt(this.#ports, () => unknown.of(tenant, sourceId)) : undefined;
    // What an earlier build began does not tell.
    if (fixed !== undefined || refusesUnknown === undefined) {
      this.#unknown = fixed ?? noneUnknown;
      return;
    }
    // Also of one that is resumed: then none was unknown, or it did not come so far that a batch went out.
    const names = await this.#namesWithin();
    this.#unknown = await attempt(this.#ports, () => unknown.fix(tenant, sourceId, names));
  }

  /** Every series that the content names. One that the mapping itself names needs no look. */
  async #namesWithin(): Promise<readonly SeriesName[]> {
    const { meter, channel } = this.#request.mapping;
    if (this.#request.format !== 'columns' && 'constant' in meter && 'constant' in channel) {
      return [{ meter: meter.constant, channel: channel.constant }];
    }
    const named = new Map<string, SeriesName>();
    this.#named = named;
    await this.pass('look');
    this.#named = undefined;
    return [...named.values()];
  }

  /** Asked once a series. */
  #isUnknown(name: SeriesName): boolean {
    this.#named?.set(seriesPath(name.meter, name.channel), name);
    return this.#unknown.has(name);
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
        this.#outbox.hasRead(piece.length);
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
    await this.#outbox.flush(1);
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
      await this.#outbox.flush(publishedTogetherMax);
      await turn();
    }
  }

  /** One bad line and the mapping's `onBadLine: reject-source`: nothing of it is taken. */
  async rejectWhole(trial: PassCounts): Promise<TakenIn> {
    if (this.refusal === undefined) {
      const reason = `the mapping says reject-source, and ${trial.badLines} of ${trial.received} lines are bad`;
      this.#refuse({ code: 'source-rejected', reason });
      await this.#outbox.flush(1);
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
        batches: this.#outbox.batches,
        atMs: clock.nowMs(),
      }),
    );
    if (this.#unknown.size > 0) {
      await attempt(this.#ports, () => this.#ports.unknown.forget(this.#request.tenant, sourceId));
    }
    const labels = { tenant: this.#request.tenant };
    telemetry.count('ingest_readings_accepted_total', counts.accepted, labels);
    telemetry.count('ingest_readings_rejected_total', counts.rejected, labels);
    const refusal = this.refusal === undefined ? {} : { refusal: this.refusal };
    return { sourceId, counts, batches: this.#outbox.batches, replayed: false, ...refusal };
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
      ...(this.#named === undefined && this.#unknown.size === 0
        ? {}
        : { isUnknown: (name: SeriesName) => this.#isUnknown(name) }),
      endBefore: ({ meter, channel }) => this.#before.get(seriesPath(meter, channel))?.end,
      onBatch: (batch) => {
        if (purpose === 'publish') {
          this.#outbox.addBatch(batch);
        }
      },
      onRejects: (rejects) => {
        this.#outbox.addRejects(rejects.filter(({ code }) => toldIn(purpose, code)));
      },
      onRemarks: (remarks) => {
        if (purpose === 'publish') {
          this.#outbox.addRemarks(remarks);
        }
      },
    });
  }

  /** Line 0 stands for the source itself. */
  #refuse({ code, reason }: Pick<Reject, 'code' | 'reason'>): void {
    this.refusal = { line: 0, column: '', code, reason, text: '' };
    this.#outbox.addRejects([this.refusal]);
  }
}

/** What a trial finds is told where it refuses the source for it: lines that are only left out are told when it is taken. */
function toldIn(purpose: Purpose, code: string): boolean {
  return purpose === 'publish' || (purpose === 'trial' && !isLeftOut(code));
}
