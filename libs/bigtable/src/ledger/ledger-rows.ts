import { noOutcomes, type LedgerLayer, type OutcomeCounts } from '@meterflow/idempotent-writes';
import type { Cause } from '@meterflow/readings';
import type { Clock } from '@meterflow/stage';
import type { RowChange, Table } from '../client/table.ts';
import { tables } from '../schema.ts';
import type { Cell } from '../wire/mutations.ts';
import { encodeFailed, failedMark, ledgerQualifier, type FailedState } from './ledger-cell.ts';
import { batchKey } from './ledger-key.ts';
import { KnownRows, type StoredRowOfWrite } from './known-rows.ts';

const family = tables.ledger.rows;

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
   * its row.
   */
  async addStored(rows: readonly StoredRowOfWrite[]): Promise<OutcomeCounts[]> {
    const known = await this.#known(rows.map(({ cause }) => cause));
    const outcomes = rows.map((row) => {
      const standing = known.stored(row);
      return standing.writeKey === row.writeKey ? standing.counts : row.counts;
    });
    await this.#table.mutate(known.changes());
    return outcomes;
  }

  /**
   * The counts go to one cause, the first without a row, so that sums over sources never double. Where all have one,
   * what this write changed is added to the first's, under the write's own name: once, however often it comes.
   */
  async addAggregates(accounts: readonly AggregateAccount[]): Promise<void> {
    const known = await this.#known(accounts.flatMap(({ causes }) => causes));
    for (const account of accounts) {
      for (const layer of account.layers) {
        addLayer(known, account, layer);
      }
    }
    await this.#table.mutate(known.changes());
  }

  /** Marks what a dead letter stands for. */
  async fail(failures: readonly FailedRows[]): Promise<void> {
    await this.#table.mutate(failures.flatMap((failed) => changes(failed, (cell) => ({ set: cell }))));
  }

  /** Takes the marks away that the letter set when it was put at this time. */
  async unfail(failures: readonly FailedRows[]): Promise<void> {
    await this.#table.mutate(failures.flatMap((failed) => changes(failed, (cell) => ({ remove: cell }))));
  }

  #known(causes: readonly Cause[]): Promise<KnownRows> {
    return KnownRows.read(this.#table, causes, () => this.#clock.nowMs());
  }
}

function addLayer(
  known: KnownRows,
  { writeKey, causes }: AggregateAccount,
  { layer, counts }: AggregateAccount['layers'][number],
): void {
  let accounted = false;
  for (const cause of causes) {
    if (!known.isStored(cause, layer)) {
      known.stored({ cause, layer, writeKey, counts: accounted ? noOutcomes : counts });
      accounted = true;
    }
  }
  const [first] = causes;
  const { inserted, superseded, conflict } = counts;
  if (!accounted && first !== undefined && inserted + superseded + conflict > 0) {
    known.raise({ cause: first, layer, writeKey, counts: { ...noOutcomes, inserted, superseded, conflict } });
  }
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
