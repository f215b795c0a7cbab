import type { LedgerLayer } from '@meterflow/idempotent-writes';
import type { Cause } from '@meterflow/readings';
import type { RowChange, Table } from '../client/table.ts';
import { tables } from '../schema.ts';
import { inQualifiers } from '../wire/row-filter.ts';
import {
  decodeStored,
  encodeStored,
  firstCells,
  ledgerQualifier,
  raisedMark,
  storedMark,
  type StoredLedgerValue,
} from './ledger-cell.ts';
import { batchKey } from './ledger-key.ts';

const family = tables.ledger.rows;

/** What a write says of a batch it goes back to, at one layer. */
export interface StoredRowOfWrite extends StoredLedgerValue {
  readonly cause: Cause;
  readonly layer: LedgerLayer;
}

/**
 * The ledger's rows of a group of writes: all read with one call, judged in memory, and what is new put with another.
 * Two processes that do so for one batch at the same time may both put a cell; then the older one stands.
 */
export class KnownRows {
  readonly #cells: Map<string, Buffer>;
  readonly #nowMs: () => number;
  readonly #changes = new Map<string, { readonly key: Buffer; readonly mutations: RowChange['mutations'][number][] }>();

  private constructor(cells: Map<string, Buffer>, nowMs: () => number) {
    this.#cells = cells;
    this.#nowMs = nowMs;
  }

  static async read(table: Table, causes: Iterable<Cause>, nowMs: () => number): Promise<KnownRows> {
    const keys = new Map<string, Buffer>();
    for (const cause of causes) {
      const key = batchKey(cause);
      keys.set(key.toString('latin1'), key);
    }
    const cells = new Map<string, Buffer>();
    for (const row of await table.read({ keys: [...keys.values()], filter: inQualifiers({ family }) })) {
      for (const { qualifier, value } of firstCells(row.cells)) {
        cells.set(placeOf(row.key, qualifier), value);
      }
    }
    return new KnownRows(cells, nowMs);
  }

  /** The value that stands: this one, where there was none. */
  stored({ cause, layer, ...value }: StoredRowOfWrite): StoredLedgerValue {
    return this.#put(cause, ledgerQualifier(storedMark, { cause, layer }), value);
  }

  isStored(cause: Cause, layer: LedgerLayer): boolean {
    return this.#cells.has(placeOf(batchKey(cause), ledgerQualifier(storedMark, { cause, layer })));
  }

  /** Under the write's own name: once more, it is the same cell, and the first time stands. */
  raise({ cause, layer, ...value }: StoredRowOfWrite): void {
    this.#put(cause, ledgerQualifier(raisedMark, { cause, layer }, value.writeKey), value);
  }

  /** What is to be put. */
  changes(): RowChange[] {
    return [...this.#changes.values()];
  }

  #put(cause: Cause, qualifier: Buffer, value: StoredLedgerValue): StoredLedgerValue {
    const key = batchKey(cause);
    const place = placeOf(key, qualifier);
    const known = this.#cells.get(place);
    if (known !== undefined) {
      return decodeStored(known);
    }
    const encoded = encodeStored(value);
    this.#cells.set(place, encoded);
    const text = key.toString('latin1');
    const change = this.#changes.get(text) ?? { key, mutations: [] };
    this.#changes.set(text, change);
    change.mutations.push({ set: { family, qualifier, micros: this.#nowMs() * 1_000, value: encoded } });
    return value;
  }
}

function placeOf(key: Buffer, qualifier: Buffer): string {
  return `${key.toString('latin1')} ${qualifier.toString('latin1')}`;
}
