import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import {
  noRemarks,
  UnknownSourceError,
  type AcceptanceRequest,
  type Closing,
  type Delivery,
  type Receipt,
} from '@meterflow/receipts';
import type { AcceptanceRow } from './acceptances.ts';

/** One time that a source came. */
export interface StoredDelivery {
  readonly row: number;
  readonly acceptance: AcceptanceRow;
  readonly tenant: string;
  readonly number: number;
  readonly sourceId: string;
  readonly startedAtMs: number;
  /** Undefined where nobody said, or an earlier build began it. */
  readonly refusesUnknown: boolean | undefined;
  /** Undefined while its lines still come in. */
  readonly closing: Closing | undefined;
  /** Kept once nothing can change it any more. */
  readonly receipt: Receipt | undefined;
}

type DeliveryRequest = Pick<AcceptanceRequest, 'tenant' | 'delivery' | 'nowMs' | 'refusesUnknown'>;

/** Called within the caller's transaction where they write. */
export class Deliveries {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** 1. the delivery of that name, 2. the one that is unfinished, 3. the next. */
  findOrBegin(
    { tenant, delivery: name, nowMs, refusesUnknown }: DeliveryRequest,
    acceptance: { readonly row: AcceptanceRow; readonly id: string },
  ): Omit<Delivery, 'acceptance'> {
    const named = this.#named(acceptance.row, name);
    const latest = named ?? this.#latest(acceptance.row);
    const isOpen = latest !== undefined && latest.closing === undefined;
    if (latest !== undefined && (isOpen || named !== undefined)) {
      this.#name(acceptance.row, name, latest.row);
      const { sourceId, refusesUnknown: was } = latest;
      return { sourceId, resumed: isOpen, finished: !isOpen, ...(was === undefined ? {} : { refusesUnknown: was }) };
    }
    const number = (latest?.number ?? 0) + 1;
    const sourceId = `${acceptance.id}.${number}`;
    const { lastInsertRowid } = this.#database
      .prepare(
        `insert into deliveries (acceptance, tenant, number, source_id, started_at_ms, refuses_unknown)
         values (?, ?, ?, ?, ?, ?)`,
      )
      .run(
        acceptance.row,
        tenant,
        number,
        sourceId,
        nowMs,
        refusesUnknown === undefined ? null : Number(refusesUnknown),
      );
    this.#name(acceptance.row, name, Number(lastInsertRowid));
    const told = refusesUnknown === undefined ? {} : { refusesUnknown };
    return { sourceId, resumed: false, finished: false, ...told };
  }

  /** Throws UnknownSourceError. */
  require(sourceId: string): StoredDelivery {
    const row = this.#database.prepare('select * from deliveries where source_id = ?').get(sourceId);
    if (row === undefined) {
      throw new UnknownSourceError(`there is no source ${sourceId}`);
    }
    return deliveryOf(row);
  }

  ofTenant(tenant: string, sourceId: string): StoredDelivery | undefined {
    const row = this.#database
      .prepare('select * from deliveries where source_id = ? and tenant = ?')
      .get(sourceId, tenant);
    return row === undefined ? undefined : deliveryOf(row);
  }

  /** Newest first; those begun before the source `before`. */
  list(tenant: string, page: { readonly limit: number; readonly before?: string }): readonly StoredDelivery[] {
    return this.#database
      .prepare(
        `select * from deliveries where tenant = ? and row < coalesce(
           (select row from deliveries where source_id = ? and tenant = ?), 9007199254740991)
         order by row desc limit ?`,
      )
      .all(tenant, page.before ?? '', tenant, page.limit)
      .map(deliveryOf);
  }

  /** False where it was closed before: that closing stands. */
  close({ row }: StoredDelivery, closing: Closing): boolean {
    const { changes } = this.#database
      .prepare('update deliveries set closing = ? where row = ? and closing is null')
      .run(JSON.stringify(closing), row);
    return changes > 0;
  }

  keepReceipt({ row }: StoredDelivery, receipt: Receipt): void {
    this.#database
      .prepare('update deliveries set receipt = ? where row = ? and receipt is null')
      .run(JSON.stringify(receipt), row);
  }

  #latest(acceptance: AcceptanceRow): StoredDelivery | undefined {
    const row = this.#database
      .prepare('select * from deliveries where acceptance = ? order by number desc limit 1')
      .get(acceptance);
    return row === undefined ? undefined : deliveryOf(row);
  }

  #named(acceptance: AcceptanceRow, name: string | undefined): StoredDelivery | undefined {
    const row =
      name === undefined
        ? undefined
        : this.#database
            .prepare(
              `select deliveries.* from delivery_names join deliveries on deliveries.row = delivery_names.delivery
               where delivery_names.acceptance = ? and delivery_names.name = ?`,
            )
            .get(acceptance, name);
    return row === undefined ? undefined : deliveryOf(row);
  }

  #name(acceptance: AcceptanceRow, name: string | undefined, delivery: number): void {
    if (name !== undefined) {
      this.#database
        .prepare('insert or ignore into delivery_names (acceptance, name, delivery) values (?, ?, ?)')
        .run(acceptance, name, delivery);
    }
  }
}

function deliveryOf(row: Record<string, SQLOutputValue>): StoredDelivery {
  const { closing, receipt, refuses_unknown: refuses } = row;
  return {
    row: Number(row['row']),
    acceptance: Number(row['acceptance']),
    tenant: String(row['tenant']),
    number: Number(row['number']),
    sourceId: String(row['source_id']),
    startedAtMs: Number(row['started_at_ms']),
    refusesUnknown: typeof refuses === 'number' ? refuses !== 0 : undefined,
    closing: typeof closing === 'string' ? (JSON.parse(closing) as Closing) : undefined,
    receipt: typeof receipt === 'string' ? receiptOf(receipt) : undefined,
  };
}

/** Receipts that earlier builds kept tell of no remarks, and have all rejects in their list. */
function receiptOf(kept: string): Receipt {
  const receipt = JSON.parse(kept) as Receipt;
  return Object.assign({ ...noRemarks, remarks: [], rejectsListed: receipt.rejected }, receipt);
}
