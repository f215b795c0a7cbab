import { noOutcomes, type LedgerLayer, type OutcomeCounts } from '@meterflow/idempotent-writes';
import type { Cause } from '@meterflow/readings';
import type { Clock } from '@meterflow/stage';
import { inFlight } from '../client/in-flight.ts';
import { callsInFlightMax } from '../client/limits.ts';
import type { RowChange, Table } from '../client/table.ts';
import { hashedKey } from '../rows/key-hash.ts';
import { tables } from '../schema.ts';
import type { Cell } from '../wire/mutations.ts';
import { chain, inQualifiers, newestOnly, withoutValues, type RowFilter } from '../wire/row-filter.ts';
import {
  decodeStored,
  encodeFailed,
  encodeStored,
  failedMark,
  ledgerQualifier,
  raisedMark,
  storedMark,
  type FailedState,
} from './ledger-cell.ts';

const family = tables.ledger.rows;

/** The rows of a source are those under its key. */
export function sourceKey(sourceId: string): Buffer {
  return hashedKey(sourceId);
}

function batchKey({ sourceId, key }: Pick<Cause, 'sourceId' | 'key'>): Buffer {
  return Buffer.concat([sourceKey(sourceId), Buffer.from(key)]);
}

/** A row of state stored, of a write of readings. */
export interface StoredRowOfWrite {
  readonly cause: Cause;
  readonly layer: LedgerLayer;
  readonly writeKey: string;
  readonly counts: OutcomeCounts;
}

/** Accounts of a write of aggregates: the same causes at each of its layers. */
export interface AggregateAccount {
  readonly writeKey: string;
  readonly causes: readonly Cause[];
  readonly layers: readonly { readonly layer: LedgerLayer; readonly counts: OutcomeCounts }[];
}

/** A dead letter's ledger rows. */
export interface FailedRows {
  readonly letterId: string;
  readonly state: FailedState;
  readonly causes: readonly Cause[];
  readonly layers: readonly LedgerLayer[];
  /** When the letter was put. */
  readonly atMs: number;
}

/** Writes the ledger's rows, after what they tell of is durable. */
export class LedgerRows {
  readonly #table: Table;
  readonly #clock: Clock;

  constructor(table: Table, clock: Clock) {
    this.#table = table;
    this.#clock = clock;
  }

  /**
   * Adds the rows; one that is there stands. Returns the outcome of each write: that of its earlier try, where one wrote
   * its row. Rows of the same place go in their order.
   */
  addStored(rows: readonly StoredRowOfWrite[]): Promise<OutcomeCounts[]> {
    const first = new Map<string, Promise<OutcomeCounts>>();
    return inFlight(rows, callsInFlightMax, (row) => {
      const { cause, layer } = row;
      const place = `${cause.sourceId} ${cause.key} ${cause.parts} ${cause.part} ${layer}`;
      const before = first.get(place);
      const adding = before === undefined ? this.#addStored(row) : before.then(() => this.#addStored(row));
      first.set(place, adding);
      return adding;
    });
  }

  /**
   * The counts go to one cause, the first without a row, so that sums over sources never double. Where all have one,
   * what this write changed is added to the first's, under the write's own name: once, however often it comes.
   */
  async addAggregates({ writeKey, causes, layers }: AggregateAccount): Promise<void> {
    for (const { layer, counts } of layers) {
      let accounted = false;
      for (const cause of causes) {
        if (await this.#add({ cause, layer, writeKey, counts: accounted ? noOutcomes : counts })) {
          accounted = true;
        }
      }
      const [first] = causes;
      if (!accounted && first !== undefined) {
        await this.#raise({ cause: first, layer, writeKey, counts });
      }
    }
  }

  /** Marks what a dead letter stands for. */
  async fail(failures: readonly FailedRows[]): Promise<void> {
    await this.#table.mutate(failures.flatMap((failed) => changes(failed, (cell) => ({ set: cell }))));
  }

  /** Takes the marks away that the letter set when it was put at this time. */
  async unfail(failures: readonly FailedRows[]): Promise<void> {
    await this.#table.mutate(failures.flatMap((failed) => changes(failed, (cell) => ({ remove: cell }))));
  }

  async #addStored(row: StoredRowOfWrite): Promise<OutcomeCounts> {
    if (await this.#add(row)) {
      return row.counts;
    }
    const qualifier = ledgerQualifier(storedMark, row);
    const { cells } = await this.#table.readRow(batchKey(row.cause), exactly(qualifier, newestOnly));
    const [cell] = cells;
    const stored = cell === undefined ? undefined : decodeStored(cell.value);
    return stored?.writeKey === row.writeKey ? stored.counts : row.counts;
  }

  /** False where the row was there. */
  async #add({ cause, layer, writeKey, counts }: StoredRowOfWrite): Promise<boolean> {
    const qualifier = ledgerQualifier(storedMark, { cause, layer });
    const value = encodeStored({ writeKey, counts });
    const { matched } = await this.#table.check({
      key: batchKey(cause),
      predicate: exactly(qualifier, withoutValues),
      whenFalse: [{ set: { family, qualifier, micros: this.#clock.nowMs() * 1_000, value } }],
    });
    return !matched;
  }

  async #raise({ cause, layer, writeKey, counts }: StoredRowOfWrite): Promise<void> {
    const { inserted, superseded, conflict } = counts;
    if (inserted + superseded + conflict === 0) {
      return;
    }
    // The write's own name: once more, it is the same cell, and the first time stands.
    const qualifier = ledgerQualifier(raisedMark, { cause, layer }, writeKey);
    const value = encodeStored({ writeKey, counts: { ...noOutcomes, inserted, superseded, conflict } });
    await this.#table.check({
      key: batchKey(cause),
      predicate: exactly(qualifier, withoutValues),
      whenFalse: [{ set: { family, qualifier, micros: this.#clock.nowMs() * 1_000, value } }],
    });
  }
}

function exactly(qualifier: Buffer, then: RowFilter): RowFilter {
  return chain(inQualifiers({ family, from: qualifier, to: Buffer.concat([qualifier, Buffer.of(0)]) }), then);
}

function changes(failed: FailedRows, mutationOf: (cell: Cell) => RowChange['mutations'][number]): RowChange[] {
  const { causes, layers, letterId, state, atMs } = failed;
  if (layers.length === 0) {
    return [];
  }
  return causes.map((cause) => ({
    key: batchKey(cause),
    mutations: layers.map((layer) =>
      mutationOf({
        family,
        qualifier: ledgerQualifier(failedMark, { layer, cause }, letterId),
        micros: atMs * 1_000,
        value: encodeFailed(state),
      }),
    ),
  }));
}
