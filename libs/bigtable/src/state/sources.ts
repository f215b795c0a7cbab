import type { Ledger, Tickets } from '@meterflow/idempotent-writes';
import {
  ContentConflictError,
  isFinal,
  makeReceipt,
  type AcceptanceRequest,
  type Closing,
  type Delivery,
  type ErasableSources,
  type ErasedTexts,
  type Receipt,
  type Reject,
  type Remark,
  type SourceErasure,
  type Sources,
} from '@meterflow/receipts';
import type { Table } from '../client/table.ts';
import { Documents } from '../rows/documents.ts';
import { hashedKey, under } from '../rows/key-hash.ts';
import { tables } from '../schema.ts';
import { inQualifiers } from '../wire/row-filter.ts';
import {
  acceptanceKey,
  AcceptanceDocuments,
  newAcceptance,
  type AcceptanceDocument,
  type FoundDelivery,
  type StoredDelivery,
} from './acceptance-document.ts';
import { AcceptedByDay } from './accepted-by-day.ts';
import { blankSource, eraseTexts, type ErasableTexts } from './erase-sources.ts';
import { LineList, type LinePage } from './line-list.ts';
import { SourceErasures, withoutMeters } from './source-erasures.ts';

const family = tables.sources.entries;
const pageRows = 200;

export interface SourcesPorts {
  readonly table: Table;
  readonly ledger: Ledger;
  /** Orders a tenant's deliveries. */
  readonly tickets: Tickets;
  readonly nowMs: () => number;
}

/** Acceptances, rejects and receipts in one table. */
export class BigtableSources implements Sources, ErasableSources {
  readonly #ports: SourcesPorts;
  readonly #documents: AcceptanceDocuments;
  readonly #rejects: LineList;
  readonly #remarks: LineList;
  readonly #acceptedByDay: AcceptedByDay;
  readonly #erasures: SourceErasures;

  constructor(ports: SourcesPorts) {
    const { table, nowMs } = ports;
    this.#ports = ports;
    this.#documents = new AcceptanceDocuments(new Documents(table, { family, microsOf: () => nowMs() * 1_000 }));
    this.#rejects = new LineList(table, 'rejects', ports);
    this.#remarks = new LineList(table, 'remarks', ports);
    this.#acceptedByDay = new AcceptedByDay(table, ports);
    this.#erasures = new SourceErasures(table);
  }

  async accept(request: AcceptanceRequest): Promise<Delivery> {
    let begun: StoredDelivery | undefined;
    const document = await this.#documents.change(acceptanceKey(request), async (before) => {
      if (request.kind === 'request' && before !== undefined && before.acceptance.contentHash !== request.contentHash) {
        throw new ContentConflictError(
          `the Idempotency-Key was used before with other content (acceptance ${before.acceptance.id}); use a new key`,
        );
      }
      begun = undefined;
      const found = findDelivery(before, request);
      if (before !== undefined && found !== undefined) {
        return named(before, found, request.delivery);
      }
      const begins = await this.#begin(before, request);
      begun = begins.delivery;
      return begins.document;
    });
    const delivery = begun ?? findDelivery(document, request);
    if (delivery === undefined) {
      throw new RangeError('an acceptance without a delivery');
    }
    const isOpen = delivery.closing === undefined;
    return {
      acceptance: document.acceptance,
      sourceId: sourceIdOf(document, delivery),
      resumed: begun === undefined && isOpen,
      finished: !isOpen,
      ...(delivery.refusesUnknown === undefined ? {} : { refusesUnknown: delivery.refusesUnknown }),
    };
  }

  reject(sourceId: string, rejects: readonly Reject[]): Promise<void> {
    return this.#tell(this.#rejects, sourceId, rejects);
  }

  remark(sourceId: string, remarks: readonly Remark[]): Promise<void> {
    return this.#tell(this.#remarks, sourceId, remarks);
  }

  /** 1. The day counts it, once for each source; 2. it is closed. Ended in between, it is closed once more. */
  async close(sourceId: string, closing: Closing): Promise<void> {
    const found = await this.#documents.require(sourceId);
    if (found.delivery.closing !== undefined) {
      return;
    }
    await this.#acceptedByDay.add(found.document.acceptance.tenant, sourceId, closing);
    await this.#documents.changeDelivery(found, (before) =>
      before.closing === undefined ? { ...before, closing } : before,
    );
  }

  acceptedOn(tenant: string, atMs: number): Promise<number> {
    return this.#acceptedByDay.on(tenant, atMs);
  }

  async receipt(tenant: string, sourceId: string): Promise<Receipt | undefined> {
    const found = await this.#ofTenant(tenant, sourceId);
    return found === undefined ? undefined : this.#receiptOf(found);
  }

  async list(tenant: string, page: { readonly limit: number; readonly before?: string }): Promise<readonly Receipt[]> {
    const all = under(listKey(tenant));
    const before = page.before === undefined ? undefined : await this.#ofTenant(tenant, page.before);
    const from = before === undefined ? all.from : placeKey(tenant, before.delivery.order);
    const receipts: Receipt[] = [];
    for await (const { key, cells } of this.#ports.table.scan(
      { from, to: all.to },
      inQualifiers({ family }),
      pageRows,
    )) {
      const found = await this.#documents.find(cells[0]?.value.toString() ?? '');
      // A place that was taken, and whose delivery then was another's.
      const isPlace = found !== undefined && placeKey(tenant, found.delivery.order).equals(key);
      if (isPlace && found.delivery.order !== before?.delivery.order) {
        receipts.push(await this.#receiptOf(found));
      }
      if (receipts.length >= page.limit) {
        break;
      }
    }
    return receipts;
  }

  async rejects(tenant: string, sourceId: string, page: LinePage): Promise<readonly Reject[]> {
    return (await this.#ofTenant(tenant, sourceId)) === undefined ? [] : this.#rejects.after(sourceId, page);
  }

  async remarks(tenant: string, sourceId: string, page: LinePage): Promise<readonly Remark[]> {
    return (await this.#ofTenant(tenant, sourceId)) === undefined ? [] : this.#remarks.after(sourceId, page);
  }

  /** 1. The tombstone: what is told from now on is held against it; 2. what is there. */
  async erase(erasure: SourceErasure): Promise<ErasedTexts> {
    await this.#erasures.put(erasure);
    return eraseTexts(this.#texts(), erasure, { isDry: false });
  }

  found(erasure: SourceErasure): Promise<ErasedTexts> {
    return eraseTexts(this.#texts(), erasure, { isDry: true });
  }

  #texts(): ErasableTexts {
    return {
      documents: this.#documents,
      rejects: this.#rejects,
      remarks: this.#remarks,
      sourceIds: (tenant) => this.#sourceIds(tenant),
    };
  }

  /** Of all deliveries in the tenant's list. */
  async *#sourceIds(tenant: string): AsyncGenerator<string> {
    const { table } = this.#ports;
    for await (const { cells } of table.scan(under(listKey(tenant)), inQualifiers({ family }), pageRows)) {
      yield cells[0]?.value.toString() ?? '';
    }
  }

  /**
   * 1. Lines as they may be kept, 2. a second look: an erasure that came between the first and the adding may not have
   * seen them.
   */
  async #tell(list: LineList, sourceId: string, lines: readonly Reject[]): Promise<void> {
    const found = await this.#documents.require(sourceId);
    const before = await this.#erasedMeters(found);
    await list.add(sourceId, before.length === 0 ? lines : lines.map((line) => withoutMeters(line, before)));
    const after = await this.#erasedMeters(found);
    if (after.some((meter) => !before.includes(meter))) {
      await blankSource(this.#texts(), found, after);
    }
  }

  #erasedMeters({ document: { acceptance } }: FoundDelivery): Promise<readonly string[]> {
    return this.#erasures.meters(acceptance.tenant, acceptance.acceptedAtMs);
  }

  /** The next delivery, which has its place in the tenant's list before it is there: a list misses none. */
  async #begin(
    before: AcceptanceDocument | undefined,
    request: AcceptanceRequest,
  ): Promise<{ readonly document: AcceptanceDocument; readonly delivery: StoredDelivery }> {
    const { table, tickets, nowMs } = this.#ports;
    const { acceptance, deliveries } = before ?? { acceptance: newAcceptance(request), deliveries: [] };
    const delivery: StoredDelivery = {
      number: (deliveries.at(-1)?.number ?? 0) + 1,
      startedAtMs: request.nowMs,
      ...(request.refusesUnknown === undefined ? {} : { refusesUnknown: request.refusesUnknown }),
      order: await tickets.take(request.tenant),
      names: request.delivery === undefined ? [] : [request.delivery],
    };
    const document = { acceptance, deliveries: [...deliveries, delivery] };
    const value = Buffer.from(sourceIdOf(document, delivery));
    const place = { family, qualifier: Buffer.from('s'), micros: nowMs() * 1_000, value };
    await table.mutate([{ key: placeKey(request.tenant, delivery.order), mutations: [{ set: place }] }]);
    return { document, delivery };
  }

  async #ofTenant(tenant: string, sourceId: string): Promise<FoundDelivery | undefined> {
    const found = await this.#documents.find(sourceId);
    return found?.document.acceptance.tenant === tenant ? found : undefined;
  }

  /** Once nothing can change it any more, a receipt is kept as it is: the ledger is then read no more. */
  async #receiptOf(found: FoundDelivery): Promise<Receipt> {
    const { sourceId, delivery, document } = found;
    if (delivery.receipt !== undefined) {
      return delivery.receipt;
    }
    const receipt = makeReceipt({
      sourceId,
      acceptance: document.acceptance,
      startedAtMs: delivery.startedAtMs,
      closing: delivery.closing,
      ledger: await this.#ports.ledger.summary(sourceId),
      rejected: delivery.closing?.rejected ?? (await this.#rejects.count(sourceId)),
      rejects: await this.#rejects.first(sourceId),
      remarks: await this.#remarks.first(sourceId),
      nowMs: this.#ports.nowMs(),
    });
    if (isFinal(receipt)) {
      await this.#documents.changeDelivery(found, (before) =>
        before.receipt === undefined ? { ...before, receipt } : before,
      );
      // An erasure that was under way may have read the document before the receipt stood in it.
      const erased = await this.#erasedMeters(found);
      if (erased.length > 0) {
        await blankSource(this.#texts(), found, erased);
        return (await this.#documents.require(sourceId)).delivery.receipt ?? receipt;
      }
    }
    return receipt;
  }
}

/** 1. the delivery of that name, 2. the one that is unfinished; else the next has to begin. */
function findDelivery(
  document: AcceptanceDocument | undefined,
  { delivery: name }: AcceptanceRequest,
): StoredDelivery | undefined {
  const deliveries = document?.deliveries ?? [];
  const byName = name === undefined ? undefined : deliveries.find(({ names }) => names.includes(name));
  const latest = deliveries.at(-1);
  return byName ?? (latest?.closing === undefined ? latest : undefined);
}

function named(document: AcceptanceDocument, delivery: StoredDelivery, name: string | undefined): AcceptanceDocument {
  if (name === undefined || delivery.names.includes(name)) {
    return document;
  }
  const renamed = { ...delivery, names: [...delivery.names, name] };
  return { ...document, deliveries: document.deliveries.map((one) => (one === delivery ? renamed : one)) };
}

function sourceIdOf({ acceptance }: AcceptanceDocument, { number }: StoredDelivery): string {
  return `${acceptance.id}.${number}`;
}

function listKey(tenant: string): Buffer {
  return hashedKey('list', tenant);
}

/** Later orders come first. */
function placeKey(tenant: string, order: number): Buffer {
  const key = Buffer.concat([listKey(tenant), Buffer.alloc(8)]);
  key.writeBigUInt64BE(BigInt(Number.MAX_SAFE_INTEGER - order), key.length - 8);
  return key;
}
