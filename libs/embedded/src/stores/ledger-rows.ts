import type { DatabaseSync, StatementSync } from 'node:sqlite';
import {
  addOutcomes,
  ledgerLayers,
  noOutcomes,
  type LedgerLayer,
  type OutcomeCounts,
} from '@meterflow/idempotent-writes';
import type { Cause } from '@meterflow/readings';

/** Ledger rows of state `stored`, and their sums by source and layer, kept in the same transaction. */
export const ledgerSchema = `
create table sources (
  id integer primary key,
  name text not null unique
) strict;
create table ledger (
  source integer not null references sources,
  key text not null,
  layer integer not null,
  parts integer not null,
  part integer not null,
  writeKey text not null,
  inserted integer not null,
  superseded integer not null,
  shadowed integer not null,
  duplicate integer not null,
  conflict integer not null,
  primary key (source, key, layer, parts, part)
) strict, without rowid;
create table ledgerTotals (
  source integer not null references sources,
  layer integer not null,
  batches integer not null,
  inserted integer not null,
  superseded integer not null,
  shadowed integer not null,
  duplicate integer not null,
  conflict integer not null,
  primary key (source, layer)
) strict, without rowid;`;

/** A row as it is stored. `writeKey`: the write whose outcome it tells. */
export type StoredLedgerRow = OutcomeCounts & {
  readonly parts: number;
  readonly part: number;
  readonly writeKey: string;
};

interface Total {
  batches: number;
  counts: OutcomeCounts;
}

const sourcesMax = 10_000;

/** True when the rows of one accepted batch and layer hold every part of one cut. */
export function isComplete(rows: readonly { readonly parts: number }[]): boolean {
  return rows.some(({ parts }) => rows.filter((row) => row.parts === parts).length === parts);
}

export const rowsOfBatch = `select parts, part, writeKey, inserted, superseded, shadowed, duplicate, conflict from ledger
  where source = ? and key = ? and layer = ?`;

/** Writes a store's ledger rows within its transactions; `flush` before each commit. */
export class LedgerRows {
  readonly #findSource: StatementSync;
  readonly #addSource: StatementSync;
  readonly #find: StatementSync;
  readonly #add: StatementSync;
  readonly #raise: StatementSync;
  readonly #addTotal: StatementSync;
  #sources = new Map<string, number>();
  #totals = new Map<string, Total>();

  constructor(database: DatabaseSync) {
    this.#findSource = database.prepare('select id from sources where name = ?');
    this.#addSource = database.prepare('insert into sources (name) values (?)');
    this.#find = database.prepare(rowsOfBatch);
    this.#add = database.prepare('insert into ledger values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
    this.#raise = database.prepare(
      `update ledger set inserted = inserted + ?, superseded = superseded + ?, conflict = conflict + ?
       where source = ? and key = ? and layer = ? and parts = ? and part = ?`,
    );
    this.#addTotal = database.prepare(
      `insert into ledgerTotals values (?, ?, ?, ?, ?, ?, ?, ?) on conflict do update set
       batches = batches + excluded.batches, inserted = inserted + excluded.inserted,
       superseded = superseded + excluded.superseded, shadowed = shadowed + excluded.shadowed,
       duplicate = duplicate + excluded.duplicate, conflict = conflict + excluded.conflict`,
    );
  }

  forget(): void {
    this.#sources.clear();
    this.#totals.clear();
  }

  /** The rows of all parts of an accepted batch in a layer. */
  rows(cause: Cause, layer: LedgerLayer): readonly StoredLedgerRow[] {
    const rows = this.#find.all(this.source(cause.sourceId), cause.key, ledgerLayers.indexOf(layer));
    return rows as unknown as StoredLedgerRow[];
  }

  /** Adds the row of a cause that has none yet among `rows`, those of its batch and layer. */
  add(
    cause: Cause,
    layer: LedgerLayer,
    row: { writeKey: string; counts: OutcomeCounts; rows: readonly StoredLedgerRow[] },
  ): void {
    const { writeKey, counts, rows } = row;
    const { inserted, superseded, shadowed, duplicate, conflict } = counts;
    const source = this.source(cause.sourceId);
    const at = [source, cause.key, ledgerLayers.indexOf(layer), cause.parts, cause.part] as const;
    this.#add.run(...at, writeKey, inserted, superseded, shadowed, duplicate, conflict);
    // A batch that was cut otherwise under a later activation is counted once: as it was cut first.
    const cutOtherwise = rows.some(({ parts }) => parts !== cause.parts);
    const completed = !isComplete(rows) && isComplete([...rows, cause]);
    this.#total(source, layer, { batches: completed ? 1 : 0, counts: cutOtherwise ? noOutcomes : counts });
  }

  /** Adds to a row that is there what a later write changed on the same cause's account. */
  raise(cause: Cause, layer: LedgerLayer, counts: OutcomeCounts): void {
    const { inserted, superseded, conflict } = counts;
    if (inserted + superseded + conflict === 0) {
      return;
    }
    const source = this.source(cause.sourceId);
    const at = [source, cause.key, ledgerLayers.indexOf(layer), cause.parts, cause.part] as const;
    this.#raise.run(inserted, superseded, conflict, ...at);
    this.#total(source, layer, { batches: 0, counts: { ...noOutcomes, inserted, superseded, conflict } });
  }

  /** Writes the sums; one row for each source and layer of the transaction. */
  flush(): void {
    for (const [path, { batches, counts }] of this.#totals) {
      const [source, layer] = path.split(' ').map(Number) as [number, number];
      const { inserted, superseded, shadowed, duplicate, conflict } = counts;
      this.#addTotal.run(source, layer, batches, inserted, superseded, shadowed, duplicate, conflict);
    }
    this.#totals.clear();
  }

  #total(source: number, layer: LedgerLayer, { batches, counts }: Total): void {
    const path = `${source} ${ledgerLayers.indexOf(layer)}`;
    const total = this.#totals.get(path) ?? { batches: 0, counts: noOutcomes };
    total.batches += batches;
    total.counts = addOutcomes(total.counts, counts);
    this.#totals.set(path, total);
  }

  /** The id of a source in the file; it gets one where it is new. */
  source(name: string): number {
    let id = this.#sources.get(name);
    if (id === undefined) {
      const found = this.#findSource.get(name);
      id = found === undefined ? Number(this.#addSource.run(name).lastInsertRowid) : Number(found['id']);
      if (this.#sources.size >= sourcesMax) {
        this.#sources.clear();
      }
      this.#sources.set(name, id);
    }
    return id;
  }
}
