import type { DatabaseSync } from 'node:sqlite';
import type { Ledger } from '@meterflow/idempotent-writes';
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
import { overwriting, storeError, transaction } from '../database.ts';
import { AcceptedByDay } from './accepted-by-day.ts';
import { Acceptances } from './acceptances.ts';
import { attempt } from './attempt.ts';
import { Deliveries, type StoredDelivery } from './deliveries.ts';
import { eraseTexts, foundTexts, keepable } from './erase-sources.ts';
import { LineList } from './line-list.ts';
import { openSourcesDatabase } from './sources-database.ts';

export interface EmbeddedSourcesOptions {
  readonly ledger: Ledger;
  readonly nowMs: () => number;
  /** A new short, URL-safe name, never given before. */
  readonly newId: () => string;
}

/** Sources in one SQLite file. Several processes may open it. */
export class EmbeddedSources implements Sources, ErasableSources {
  readonly #file: string;
  readonly #database: DatabaseSync;
  readonly #options: EmbeddedSourcesOptions;
  readonly #acceptances: Acceptances;
  readonly #deliveries: Deliveries;
  readonly #rejects: LineList;
  readonly #remarks: LineList;
  readonly #acceptedByDay: AcceptedByDay;

  constructor(file: string, options: EmbeddedSourcesOptions) {
    this.#file = file;
    this.#options = options;
    this.#database = openSourcesDatabase(file);
    this.#acceptances = new Acceptances(this.#database, options.newId);
    this.#deliveries = new Deliveries(this.#database);
    this.#rejects = new LineList(this.#database, 'reject');
    this.#remarks = new LineList(this.#database, 'remark');
    this.#acceptedByDay = new AcceptedByDay(this.#database);
  }

  /** Lets go of the file. */
  disconnect(): void {
    this.#database.close();
  }

  accept(request: AcceptanceRequest): Promise<Delivery> {
    return this.#write(() => {
      const { row, acceptance } = this.#acceptances.findOrCreate(request);
      if (request.kind === 'request' && acceptance.contentHash !== request.contentHash) {
        throw new ContentConflictError(
          `the Idempotency-Key was used before with other content (acceptance ${acceptance.id}); use a new key`,
        );
      }
      return { acceptance, ...this.#deliveries.findOrBegin(request, { row, id: acceptance.id }) };
    });
  }

  reject(sourceId: string, rejects: readonly Reject[]): Promise<void> {
    return this.#write(() => {
      this.#add(this.#rejects, sourceId, rejects);
    });
  }

  remark(sourceId: string, remarks: readonly Remark[]): Promise<void> {
    return this.#write(() => {
      this.#add(this.#remarks, sourceId, remarks);
    });
  }

  close(sourceId: string, closing: Closing): Promise<void> {
    return this.#write(() => {
      const delivery = this.#deliveries.require(sourceId);
      if (this.#deliveries.close(delivery, closing)) {
        this.#acceptedByDay.add(delivery.tenant, closing);
      }
    });
  }

  /** See ErasableSources. */
  async erase(erasure: SourceErasure): Promise<ErasedTexts> {
    // A connection of its own: the transaction lasts over turns of the event loop.
    const database = openSourcesDatabase(this.#file);
    try {
      return await overwriting(database, () => eraseTexts(database, erasure));
    } catch (error) {
      throw storeError(error, this.#file);
    } finally {
      database.close();
    }
  }

  found(erasure: SourceErasure): Promise<ErasedTexts> {
    return attempt(this.#file, () => foundTexts(this.#database, erasure));
  }

  acceptedOn(tenant: string, atMs: number): Promise<number> {
    return attempt(this.#file, () => this.#acceptedByDay.on(tenant, atMs));
  }

  async receipt(tenant: string, sourceId: string): Promise<Receipt | undefined> {
    const delivery = await attempt(this.#file, () => this.#deliveries.ofTenant(tenant, sourceId));
    return delivery === undefined ? undefined : this.#receiptOf(delivery);
  }

  async list(tenant: string, page: { limit: number; before?: string }): Promise<readonly Receipt[]> {
    const receipts: Receipt[] = [];
    for (const delivery of await attempt(this.#file, () => this.#deliveries.list(tenant, page))) {
      receipts.push(await this.#receiptOf(delivery));
    }
    return receipts;
  }

  rejects(tenant: string, sourceId: string, page: { limit: number; afterLine: number }): Promise<readonly Reject[]> {
    return attempt(this.#file, () => this.#page(this.#rejects, { tenant, sourceId, page }));
  }

  remarks(tenant: string, sourceId: string, page: { limit: number; afterLine: number }): Promise<readonly Remark[]> {
    return attempt(this.#file, () => this.#page(this.#remarks, { tenant, sourceId, page }));
  }

  /** Once nothing can change it any more, a receipt is kept as it is: the ledger is then read no more. */
  async #receiptOf(delivery: StoredDelivery): Promise<Receipt> {
    if (delivery.receipt !== undefined) {
      return delivery.receipt;
    }
    const ledger = await this.#options.ledger.summary(delivery.sourceId);
    return attempt(this.#file, () => {
      const receipt = makeReceipt({
        ...delivery,
        acceptance: this.#acceptances.at(delivery.acceptance),
        ledger,
        rejected: this.#rejects.count(delivery.row),
        rejects: this.#rejects.first(delivery.row),
        remarks: this.#remarks.first(delivery.row),
        nowMs: this.#options.nowMs(),
      });
      if (isFinal(receipt)) {
        this.#deliveries.keepReceipt(delivery, receipt);
      }
      return receipt;
    });
  }

  #add(list: LineList, sourceId: string, lines: readonly Reject[]): void {
    const delivery = this.#deliveries.require(sourceId);
    const acceptance = this.#acceptances.at(delivery.acceptance);
    list.add(delivery.row, keepable(this.#database, acceptance, lines));
  }

  #page(list: LineList, { tenant, sourceId, page }: LinePage): readonly Reject[] {
    const delivery = this.#deliveries.ofTenant(tenant, sourceId);
    return delivery === undefined ? [] : list.after(delivery.row, page);
  }

  #write<Result>(work: () => Result): Promise<Result> {
    return attempt(this.#file, () => transaction(this.#database, work));
  }
}

interface LinePage {
  readonly tenant: string;
  readonly sourceId: string;
  readonly page: { readonly limit: number; readonly afterLine: number };
}
