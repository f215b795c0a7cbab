import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
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
  type SourceKind,
  type Sources,
} from '@meterflow/receipts';
import { openDatabase, overwriting, storeError, transaction } from '../database.ts';
import { attempt } from './attempt.ts';
import {
  eraseTexts,
  foundTexts,
  keepable,
  sourceErasures,
  type ErasedTexts,
  type SourceErasure,
} from './erase-sources.ts';

const schema = `
  create table if not exists acceptances (
    row integer primary key,
    id text not null unique,
    tenant text not null,
    kind text not null,
    identity text not null,
    content_hash text not null,
    label text not null,
    mapping text not null,
    source_version real not null,
    activation real not null,
    readings_per_batch integer not null,
    accepted_at_ms real not null,
    starts_from_ms real not null default 0,
    interval_lengths text not null default '',
    unique (tenant, kind, identity)
  );
  create table if not exists deliveries (
    row integer primary key autoincrement,
    acceptance integer not null references acceptances (row),
    tenant text not null,
    number integer not null,
    source_id text not null unique,
    started_at_ms real not null,
    closing text,
    receipt text,
    unique (acceptance, number)
  );
  create index if not exists deliveries_of_tenant on deliveries (tenant, row);
  create table if not exists delivery_names (
    acceptance integer not null references acceptances (row),
    name text not null,
    delivery integer not null references deliveries (row),
    primary key (acceptance, name)
  ) without rowid;
  create table if not exists accepted_by_day (
    tenant text not null,
    day integer not null,
    accepted real not null,
    primary key (tenant, day)
  ) without rowid;
  create table if not exists rejects (
    delivery integer not null references deliveries (row),
    line real not null,
    reject text not null,
    primary key (delivery, line)
  ) without rowid;
`;
const formatVersion = 1;
const dayMs = 86_400_000;

type Row = Record<string, SQLOutputValue>;

export interface EmbeddedSourcesOptions {
  readonly ledger: Ledger;
  readonly nowMs: () => number;
  /** A new short, URL-safe name, never given before. */
  readonly newId: () => string;
}

function openSources(file: string): DatabaseSync {
  const database = openDatabase(file, { schema, formatVersion, durability: 'full' });
  database.exec(sourceErasures);
  addMissingColumns(database);
  return database;
}

/** Columns that files of earlier builds have not; those builds leave them alone. */
const laterColumns = {
  starts_from_ms: 'real not null default 0',
  interval_lengths: "text not null default ''",
};

function addMissingColumns(database: DatabaseSync): void {
  const missing = (): string[] => {
    const there = database
      .prepare('select name from pragma_table_info(?)')
      .all('acceptances')
      .map(({ name }) => name);
    return Object.keys(laterColumns).filter((name) => !there.includes(name));
  };
  if (missing().length > 0) {
    transaction(database, () => {
      // Asked again under the write lock: another process may have added them meanwhile.
      for (const name of missing()) {
        database.exec(`alter table acceptances add column ${name} ${laterColumns[name as keyof typeof laterColumns]}`);
      }
    });
  }
}

/** Sources in one SQLite file. Several processes may open it. */
export class EmbeddedSources implements Sources {
  readonly #file: string;
  readonly #database: DatabaseSync;
  readonly #options: EmbeddedSourcesOptions;

  constructor(file: string, options: EmbeddedSourcesOptions) {
    this.#file = file;
    this.#options = options;
    this.#database = openSources(file);
  }

  /** Lets go of the file. */
  disconnect(): void {
    this.#database.close();
  }

  accept(request: AcceptanceRequest): Promise<Delivery> {
    return this.#write(() => {
      const acceptanceRow = this.#findOrCreate(request);
      const acceptance = acceptanceOf(acceptanceRow);
      if (request.kind === 'request' && acceptance.contentHash !== request.contentHash) {
        throw new ContentConflictError(
          `the Idempotency-Key was used before with other content (acceptance ${acceptance.id}); use a new key`,
        );
      }
      const delivery = this.#findOrBegin(request, acceptanceRow);
      return { acceptance, ...delivery };
    });
  }

  reject(sourceId: string, rejects: readonly Reject[]): Promise<void> {
    return this.#write(() => {
      const delivery = this.#delivery(sourceId);
      const insert = this.#database.prepare('insert or ignore into rejects (delivery, line, reject) values (?, ?, ?)');
      for (const reject of keepable(this.#database, this.#acceptedOf(delivery), rejects)) {
        insert.run(delivery['row'] ?? null, reject.line, JSON.stringify(reject));
      }
    });
  }

  close(sourceId: string, closing: Closing): Promise<void> {
    return this.#write(() => {
      const delivery = this.#delivery(sourceId);
      const { changes } = this.#database
        .prepare('update deliveries set closing = ? where row = ? and closing is null')
        .run(JSON.stringify(closing), delivery['row'] ?? null);
      if (changes > 0) {
        this.#database
          .prepare(
            `insert into accepted_by_day values (?, ?, ?)
             on conflict (tenant, day) do update set accepted = accepted + excluded.accepted`,
          )
          .run(delivery['tenant'] ?? null, Math.floor(closing.atMs / dayMs), closing.accepted);
      }
    });
  }

  /** Blanks file names and rejected lines for good; the same lines stay blank when they come once more. */
  async erase(erasure: SourceErasure): Promise<ErasedTexts> {
    // A connection of its own: the transaction lasts over turns of the event loop.
    const database = openSources(this.#file);
    try {
      return await overwriting(database, () => eraseTexts(database, erasure));
    } catch (error) {
      throw storeError(error, this.#file);
    } finally {
      database.close();
    }
  }

  /** What is there of it now. */
  found(erasure: SourceErasure): Promise<ErasedTexts> {
    return attempt(this.#file, () => foundTexts(this.#database, erasure));
  }

  acceptedOn(tenant: string, atMs: number): Promise<number> {
    return attempt(this.#file, () => {
      const row = this.#database
        .prepare('select accepted from accepted_by_day where tenant = ? and day = ?')
        .get(tenant, Math.floor(atMs / dayMs));
      return Number(row?.['accepted'] ?? 0);
    });
  }

  async receipt(tenant: string, sourceId: string): Promise<Receipt | undefined> {
    const row = await attempt(this.#file, () =>
      this.#database.prepare('select * from deliveries where source_id = ? and tenant = ?').get(sourceId, tenant),
    );
    return row === undefined ? undefined : this.#receiptOf(row);
  }

  async list(tenant: string, page: { limit: number; before?: string }): Promise<readonly Receipt[]> {
    const rows = await attempt(this.#file, () =>
      this.#database
        .prepare(
          `select * from deliveries where tenant = ? and row < coalesce(
             (select row from deliveries where source_id = ? and tenant = ?), 9007199254740991)
           order by row desc limit ?`,
        )
        .all(tenant, page.before ?? '', tenant, page.limit),
    );
    const receipts: Receipt[] = [];
    for (const row of rows) {
      receipts.push(await this.#receiptOf(row));
    }
    return receipts;
  }

  rejects(tenant: string, sourceId: string, page: { limit: number; afterLine: number }): Promise<readonly Reject[]> {
    return attempt(this.#file, () =>
      this.#database
        .prepare(
          `select reject from rejects join deliveries on deliveries.row = rejects.delivery
           where source_id = ? and tenant = ? and line > ? order by line limit ?`,
        )
        .all(sourceId, tenant, page.afterLine, page.limit)
        .map((row) => JSON.parse(String(row['reject'])) as Reject),
    );
  }

  /** Once nothing can change it any more, a receipt is kept as it is: the ledger is then read no more. */
  async #receiptOf(delivery: Row): Promise<Receipt> {
    const kept = delivery['receipt'];
    if (typeof kept === 'string') {
      return JSON.parse(kept) as Receipt;
    }
    const sourceId = String(delivery['source_id']);
    const ledger = await this.#options.ledger.summary(sourceId);
    return attempt(this.#file, () => {
      const receipt = makeReceipt({ ...this.#factsOf(delivery), sourceId, ledger, nowMs: this.#options.nowMs() });
      if (isFinal(receipt)) {
        this.#database
          .prepare('update deliveries set receipt = ? where row = ? and receipt is null')
          .run(JSON.stringify(receipt), delivery['row'] ?? null);
      }
      return receipt;
    });
  }

  #factsOf(
    delivery: Row,
  ): Pick<Parameters<typeof makeReceipt>[0], 'acceptance' | 'startedAtMs' | 'closing' | 'rejected' | 'rejects'> {
    const row = delivery['row'] ?? null;
    const acceptance = this.#database
      .prepare('select * from acceptances where row = ?')
      .get(delivery['acceptance'] ?? null) as Row;
    const rejected = this.#database.prepare('select count(*) as count from rejects where delivery = ?').get(row);
    const rejects = this.#database
      .prepare('select reject from rejects where delivery = ? order by line limit ?')
      .all(row, rejectsShownMax);
    return {
      acceptance: acceptanceOf(acceptance),
      startedAtMs: Number(delivery['started_at_ms']),
      closing: delivery['closing'] === null ? undefined : (JSON.parse(String(delivery['closing'])) as Closing),
      rejected: Number(rejected?.['count']),
      rejects: rejects.map(({ reject }) => JSON.parse(String(reject)) as Reject),
    };
  }

  #findOrCreate(request: AcceptanceRequest): Row {
    const { tenant, kind, identity } = request;
    this.#database
      .prepare(
        `insert or ignore into acceptances (id, tenant, kind, identity, content_hash, label, mapping, source_version,
         activation, readings_per_batch, accepted_at_ms, starts_from_ms, interval_lengths)
         values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(
        this.#options.newId(),
        tenant,
        kind,
        identity,
        request.contentHash,
        request.label,
        request.mapping,
        request.sourceVersion,
        request.activation,
        request.readingsPerBatch,
        request.nowMs,
        request.startsFromMs,
        request.intervalLengths,
      );
    return this.#database
      .prepare('select * from acceptances where tenant = ? and kind = ? and identity = ?')
      .get(tenant, kind, identity) as Row;
  }

  /** 1. the delivery of that name, 2. the one that is unfinished, 3. the next. */
  #findOrBegin(request: AcceptanceRequest, acceptance: Row): Omit<Delivery, 'acceptance'> {
    const acceptanceRow = acceptance['row'] ?? null;
    const named = this.#named(acceptanceRow, request.delivery);
    const latest =
      named ??
      this.#database
        .prepare('select * from deliveries where acceptance = ? order by number desc limit 1')
        .get(acceptanceRow);
    const isOpen = latest?.['closing'] === null;
    if (latest !== undefined && (isOpen || named !== undefined)) {
      this.#name(acceptanceRow, request.delivery, latest['row'] ?? null);
      return { sourceId: String(latest['source_id']), resumed: isOpen, finished: !isOpen };
    }
    const number = Number(latest?.['number'] ?? 0) + 1;
    const sourceId = `${String(acceptance['id'])}.${number}`;
    const { lastInsertRowid } = this.#database
      .prepare('insert into deliveries (acceptance, tenant, number, source_id, started_at_ms) values (?, ?, ?, ?, ?)')
      .run(acceptanceRow, request.tenant, number, sourceId, request.nowMs);
    this.#name(acceptanceRow, request.delivery, lastInsertRowid);
    return { sourceId, resumed: false, finished: false };
  }

  #named(acceptance: SQLOutputValue, name: string | undefined): Row | undefined {
    return name === undefined
      ? undefined
      : this.#database
          .prepare(
            `select deliveries.* from delivery_names join deliveries on deliveries.row = delivery_names.delivery
             where delivery_names.acceptance = ? and delivery_names.name = ?`,
          )
          .get(acceptance, name);
  }

  #name(acceptance: SQLOutputValue, name: string | undefined, delivery: SQLOutputValue): void {
    if (name !== undefined) {
      this.#database
        .prepare('insert or ignore into delivery_names (acceptance, name, delivery) values (?, ?, ?)')
        .run(acceptance, name, delivery);
    }
  }

  #acceptedOf(delivery: Row): { readonly tenant: string; readonly acceptedAtMs: number } {
    const row = this.#database
      .prepare('select accepted_at_ms from acceptances where row = ?')
      .get(delivery['acceptance'] ?? null);
    return { tenant: String(delivery['tenant']), acceptedAtMs: Number(row?.['accepted_at_ms']) };
  }

  #delivery(sourceId: string): Row {
    const row = this.#database.prepare('select * from deliveries where source_id = ?').get(sourceId);
    if (row === undefined) {
      throw new UnknownSourceError(`there is no source ${sourceId}`);
    }
    return row;
  }

  #write<Result>(work: () => Result): Promise<Result> {
    return attempt(this.#file, () => transaction(this.#database, work));
  }
}

function acceptanceOf(row: Row): Acceptance {
  return {
    id: String(row['id']),
    tenant: String(row['tenant']),
    kind: row['kind'] as SourceKind,
    identity: String(row['identity']),
    contentHash: String(row['content_hash']),
    label: String(row['label']),
    mapping: String(row['mapping']),
    sourceVersion: Number(row['source_version']),
    activation: Number(row['activation']),
    acceptedAtMs: Number(row['accepted_at_ms']),
    readingsPerBatch: Number(row['readings_per_batch']),
    startsFromMs: Number(row['starts_from_ms']),
    intervalLengths: String(row['interval_lengths']),
  };
}
