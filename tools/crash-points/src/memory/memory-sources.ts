import type { Ledger } from '@meterflow/idempotent-writes';
import {
  ContentConflictError,
  isFinal,
  makeReceipt,
  rejectsShownMax,
  UnknownSourceError,
  type Acceptance,
  type AcceptanceRequest,
  type Closing,
  type Delivery,
  type Receipt,
  type Reject,
  type Remark,
  type Sources,
} from '@meterflow/receipts';

const dayMs = 86_400_000;

/** One delivery of an acceptance. */
interface DeliveryRecord {
  readonly sourceId: string;
  readonly acceptance: Acceptance;
  readonly startedAtMs: number;
  readonly refusesUnknown: boolean | undefined;
  /** By line. */
  readonly rejects: Map<number, Reject>;
  readonly remarks: Map<number, Remark>;
  closing: Closing | undefined;
  receipt: Receipt | undefined;
}

interface AcceptanceRecord {
  readonly acceptance: Acceptance;
  readonly deliveries: DeliveryRecord[];
  readonly named: Map<string, DeliveryRecord>;
}

interface LinePage {
  readonly limit: number;
  readonly afterLine: number;
}

const shown: LinePage = { limit: rejectsShownMax, afterLine: 0 };

/** What the views of several processes share. */
export class MemorySourceTables {
  readonly acceptances = new Map<string, AcceptanceRecord>();
  /** In the order in which they began. */
  readonly deliveries = new Map<string, DeliveryRecord>();
}

export interface MemorySourcesOptions {
  readonly tables: MemorySourceTables;
  readonly ledger: Ledger;
  readonly nowMs: () => number;
}

/** Acceptances, rejects and receipts in memory. */
export class MemorySources implements Sources {
  readonly #tables: MemorySourceTables;
  readonly #options: MemorySourcesOptions;

  constructor(options: MemorySourcesOptions) {
    this.#tables = options.tables;
    this.#options = options;
  }

  accept(request: AcceptanceRequest): Promise<Delivery> {
    return now(() => {
      const record = this.#record(request);
      const { acceptance } = record;
      if (request.kind === 'request' && acceptance.contentHash !== request.contentHash) {
        throw new ContentConflictError(`the key of acceptance ${acceptance.id} was used before with other content`);
      }
      const { delivery, isFound } = this.#delivered(record, request);
      const isOpen = delivery.closing === undefined;
      const { sourceId, refusesUnknown } = delivery;
      const told = refusesUnknown === undefined ? {} : { refusesUnknown };
      return { acceptance, sourceId, resumed: isFound && isOpen, finished: isFound && !isOpen, ...told };
    });
  }

  reject(sourceId: string, rejects: readonly Reject[]): Promise<void> {
    return now(() => {
      keep(this.#delivery(sourceId).rejects, rejects);
    });
  }

  remark(sourceId: string, remarks: readonly Remark[]): Promise<void> {
    return now(() => {
      keep(this.#delivery(sourceId).remarks, remarks);
    });
  }

  close(sourceId: string, closing: Closing): Promise<void> {
    return now(() => {
      this.#delivery(sourceId).closing ??= closing;
    });
  }

  acceptedOn(tenant: string, atMs: number): Promise<number> {
    const closings = [...this.#tables.deliveries.values()]
      .filter(({ acceptance }) => acceptance.tenant === tenant)
      .flatMap(({ closing }) => closing ?? []);
    const ofDay = closings.filter((closing) => Math.floor(closing.atMs / dayMs) === Math.floor(atMs / dayMs));
    return Promise.resolve(ofDay.reduce((sum, { accepted }) => sum + accepted, 0));
  }

  async receipt(tenant: string, sourceId: string): Promise<Receipt | undefined> {
    const delivery = this.#of(tenant, sourceId);
    return delivery === undefined ? undefined : (delivery.receipt ?? this.#made(delivery));
  }

  async list(tenant: string, page: { readonly limit: number; readonly before?: string }): Promise<readonly Receipt[]> {
    const newestFirst = [...this.#tables.deliveries.values()]
      .filter(({ acceptance }) => acceptance.tenant === tenant)
      .toReversed();
    const before = newestFirst.findIndex(({ sourceId }) => sourceId === page.before);
    const receipts: Receipt[] = [];
    for (const delivery of newestFirst.slice(before + 1, before + 1 + page.limit)) {
      receipts.push(delivery.receipt ?? (await this.#made(delivery)));
    }
    return receipts;
  }

  rejects(tenant: string, sourceId: string, page: LinePage): Promise<readonly Reject[]> {
    return Promise.resolve(pageOf(this.#of(tenant, sourceId)?.rejects, page));
  }

  remarks(tenant: string, sourceId: string, page: LinePage): Promise<readonly Remark[]> {
    return Promise.resolve(pageOf(this.#of(tenant, sourceId)?.remarks, page));
  }

  async #made(delivery: DeliveryRecord): Promise<Receipt> {
    const { sourceId, acceptance, startedAtMs, closing } = delivery;
    const ledger = await this.#options.ledger.summary(sourceId);
    const receipt = makeReceipt({
      sourceId,
      acceptance,
      startedAtMs,
      closing,
      ledger,
      rejected: delivery.rejects.size,
      rejects: pageOf(delivery.rejects, shown),
      remarks: pageOf(delivery.remarks, shown),
      nowMs: this.#options.nowMs(),
    });
    if (isFinal(receipt)) {
      delivery.receipt = receipt;
    }
    return receipt;
  }

  /** 1. the delivery of that name, 2. the one that is unfinished, 3. the next. */
  #delivered(
    record: AcceptanceRecord,
    request: AcceptanceRequest,
  ): { readonly delivery: DeliveryRecord; readonly isFound: boolean } {
    const { delivery: name } = request;
    const named = name === undefined ? undefined : record.named.get(name);
    const latest = record.deliveries.at(-1);
    const found = named ?? (latest?.closing === undefined ? latest : undefined);
    const delivery = found ?? this.#begin(record, request);
    if (name !== undefined) {
      record.named.set(name, delivery);
    }
    return { delivery, isFound: found !== undefined };
  }

  #record(request: AcceptanceRequest): AcceptanceRecord {
    const path = `${request.tenant}\n${request.kind}\n${request.identity}`;
    const { acceptances } = this.#tables;
    let record = acceptances.get(path);
    if (record === undefined) {
      const id = `source${(acceptances.size + 1).toString().padStart(6, '0')}`;
      record = { acceptance: acceptanceOf(request, id), deliveries: [], named: new Map() };
      acceptances.set(path, record);
    }
    return record;
  }

  #begin(
    { acceptance, deliveries }: AcceptanceRecord,
    { nowMs: startedAtMs, refusesUnknown }: AcceptanceRequest,
  ): DeliveryRecord {
    const sourceId = `${acceptance.id}.${deliveries.length + 1}`;
    const lines = { rejects: new Map<number, Reject>(), remarks: new Map<number, Remark>() };
    const delivery = {
      sourceId,
      acceptance,
      startedAtMs,
      refusesUnknown,
      ...lines,
      closing: undefined,
      receipt: undefined,
    };
    deliveries.push(delivery);
    this.#tables.deliveries.set(sourceId, delivery);
    return delivery;
  }

  #of(tenant: string, sourceId: string): DeliveryRecord | undefined {
    const delivery = this.#tables.deliveries.get(sourceId);
    return delivery?.acceptance.tenant === tenant ? delivery : undefined;
  }

  #delivery(sourceId: string): DeliveryRecord {
    const delivery = this.#tables.deliveries.get(sourceId);
    if (delivery === undefined) {
      throw new UnknownSourceError(`there is no source ${sourceId}`);
    }
    return delivery;
  }
}

function acceptanceOf(request: AcceptanceRequest, id: string): Acceptance {
  const { tenant, kind, identity, contentHash, label, mapping, sourceVersion } = request;
  const { activation, readingsPerBatch, startsFromMs, intervalLengths, nowMs } = request;
  const content = { tenant, kind, identity, contentHash, label, mapping, sourceVersion };
  return { ...content, activation, readingsPerBatch, startsFromMs, intervalLengths, id, acceptedAtMs: nowMs };
}

/** The first reason of a line stands. */
function keep(kept: Map<number, Reject>, lines: readonly Reject[]): void {
  for (const line of lines.filter((each) => !kept.has(each.line))) {
    kept.set(line.line, line);
  }
}

function pageOf(lines: ReadonlyMap<number, Reject> | undefined, { limit, afterLine }: LinePage): readonly Reject[] {
  const after = [...(lines?.values() ?? [])].filter(({ line }) => line > afterLine);
  return after.sort((a, b) => a.line - b.line).slice(0, limit);
}

/** What it throws, the promise rejects with. */
function now<Result>(work: () => Result): Promise<Result> {
  return new Promise((resolve) => {
    resolve(work());
  });
}
