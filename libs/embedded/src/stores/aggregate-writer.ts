import type { StatementSync } from 'node:sqlite';
import { SheetCursor, type AggregateBatch, type SheetLevel } from '@meterflow/aggregates';
import {
  encodeSheet,
  judgeSheet,
  noOutcomes,
  WindowTally,
  type AggregateWrite,
  type LedgerLayer,
  type OutcomeCounts,
} from '@meterflow/idempotent-writes';
import type { SeriesName } from '@meterflow/readings';
import { PermanentError } from '@meterflow/stage';
import { halfDayMs, sheetsPerSeries, sheetTables } from './aggregate-schema.ts';
import { KeyReader } from './key-reader.ts';
import { LedgerRows } from './ledger-rows.ts';
import { SeriesIndex, type KnownSeries } from './series-index.ts';
import type { StoreFile } from './store-file.ts';

type SheetRow = [key: number, sheet: Uint8Array];

/** Stored sheets of a series are read in one go unless that would read this many times as many half days as are asked for. */
const sparseFactorMax = 8;
/** Of a batch with fewer sheets a series than this, what is stored of all of them is read in one go. */
const sheetsPerSeriesMin = 2;

/** Writes sheets of all levels to one file. Everything happens within the caller's transaction. */
export class AggregateWriter {
  readonly #index: SeriesIndex;
  readonly #ledger: LedgerRows;
  readonly #readOne: Record<SheetLevel, StatementSync>;
  readonly #readRange: Record<SheetLevel, StatementSync>;
  readonly #readKeys: Record<SheetLevel, KeyReader>;
  readonly #put: Record<SheetLevel, StatementSync>;

  constructor({ database }: StoreFile) {
    this.#index = new SeriesIndex(database, { table: sheetTables.day, keysPerSeries: sheetsPerSeries });
    this.#ledger = new LedgerRows(database);
    const each = (sql: (table: string) => string): Record<SheetLevel, StatementSync> => {
      const statements = {
        day: database.prepare(sql(sheetTables.day)),
        month: database.prepare(sql(sheetTables.month)),
      };
      statements.day.setReturnArrays(true);
      statements.month.setReturnArrays(true);
      return statements;
    };
    this.#readOne = each((table) => `select key, sheet from ${table} where key = ?`);
    this.#readRange = each((table) => `select key, sheet from ${table} where key between ? and ?`);
    const keys = (table: string): KeyReader => new KeyReader(database, { table, column: 'sheet' });
    this.#readKeys = { day: keys(sheetTables.day), month: keys(sheetTables.month) };
    this.#put = each((table) => `insert or replace into ${table} values (?, ?)`);
  }

  forget(): void {
    this.#index.forget();
    this.#ledger.forget();
  }

  write(writes: readonly AggregateWrite[]): OutcomeCounts[] {
    const results = writes.map(({ key, batch }) => {
      const tally = this.#writeSheets(batch);
      this.#account(key, batch, tally);
      return tally.all;
    });
    this.#ledger.flush();
    return results;
  }

  #writeSheets(batch: AggregateBatch): WindowTally {
    const { level, tenant, ticket } = batch;
    const tally = new WindowTally();
    const sheet = new SheetCursor(batch);
    let series: KnownSeries | undefined;
    const together = this.#storedTogether(batch);
    let stored: ReadonlyMap<number, Uint8Array | undefined> = new Map();
    const written = new Set<number>();
    let seriesNow = -1;
    while (sheet.next()) {
      const index = batch.sheets.series[sheet.sheet] as number;
      if (series === undefined || index !== seriesNow) {
        seriesNow = index;
        series = this.#index.series(tenant, sheet.series);
        stored = together ?? this.#stored(batch, sheet.sheet, series);
      }
      const key = keyOf(series.id, sheet.startMs);
      if (ticket <= series.erasedTo) {
        this.#countErased(sheet, tally);
        continue;
      }
      const encoded = encodeSheet(sheet);
      // The same window twice in a batch is nothing that aggregation makes; it must not break the store either.
      const before = written.has(key) ? this.#sheet(level, key) : stored.get(key);
      if (judgeSheet(sheet, { encoded, stored: before }, tally)) {
        this.#put[level].run(key, encoded);
        written.add(key);
        series.keyMax = level === 'day' ? Math.max(series.keyMax, key) : series.keyMax;
      }
    }
    return tally;
  }

  #countErased({ batch, rowsFrom, rowsTo }: SheetCursor, tally: WindowTally): void {
    for (let row = rowsFrom; row < rowsTo; row++) {
      tally.add(batch.rows.hour[row] as number, 'shadowed');
    }
  }

  /** What is stored of all windows of a batch that has few of each series, as of live push; undefined for another one. */
  #storedTogether({
    tenant,
    series,
    sheets,
    level,
  }: AggregateBatch): ReadonlyMap<number, Uint8Array | undefined> | undefined {
    const { length } = sheets.series;
    if (length >= series.length * sheetsPerSeriesMin) {
      return undefined;
    }
    const keys: number[] = [];
    for (let sheet = 0; sheet < length; sheet++) {
      const { id, keyMax } = this.#index.series(tenant, series[sheets.series[sheet] as number] as SeriesName);
      const key = keyOf(id, sheets.startMs[sheet] as number);
      if (level !== 'day' || key <= keyMax) {
        keys.push(key);
      }
    }
    return this.#readKeys[level].read(keys);
  }

  /** What is stored of the windows that the batch's next sheets, as far as they are of one series, speak of. */
  #stored({ sheets, level }: AggregateBatch, from: number, { id, keyMax }: KnownSeries): Map<number, Uint8Array> {
    let to = from;
    let least = Infinity;
    let greatest = -Infinity;
    for (; to < sheets.series.length && sheets.series[to] === sheets.series[from]; to++) {
      const key = keyOf(id, sheets.startMs[to] as number);
      least = Math.min(least, key);
      greatest = Math.max(greatest, key);
    }
    if (level === 'day' && least > keyMax) {
      return new Map();
    }
    if (greatest - least < (to - from) * sparseFactorMax) {
      return new Map(this.#readRange[level].all(least, greatest) as unknown as SheetRow[]);
    }
    const stored = new Map<number, Uint8Array>();
    for (let sheet = from; sheet < to; sheet++) {
      const key = keyOf(id, sheets.startMs[sheet] as number);
      const blob = this.#sheet(level, key);
      if (blob !== undefined) {
        stored.set(key, blob);
      }
    }
    return stored;
  }

  #sheet(level: SheetLevel, key: number): Uint8Array | undefined {
    const row = this.#readOne[level].get(key) as unknown as SheetRow | undefined;
    return row?.[1];
  }

  /**
   * The ledger rows of every cause. The counts go to one of them, the first that has no row yet, so that sums over
   * sources never double. Where all have one, what this write changed is added to the first's: a change happens once in
   * the life of the store, however often the message comes, and so it is neither lost nor counted twice.
   */
  #account(writeKey: string, { level, causes }: AggregateBatch, { hours, whole }: WindowTally): void {
    const layers: [LedgerLayer, OutcomeCounts][] =
      level === 'day'
        ? [
            ['hour', hours],
            ['day', whole],
          ]
        : [['month', whole]];
    for (const [layer, counts] of layers) {
      let accounted = false;
      for (const cause of causes) {
        const rows = this.#ledger.rows(cause, layer);
        if (!rows.some(({ parts, part }) => parts === cause.parts && part === cause.part)) {
          this.#ledger.add(cause, layer, { writeKey, counts: accounted ? noOutcomes : counts, rows });
          accounted = true;
        }
      }
      const [first] = causes;
      if (!accounted && first !== undefined) {
        this.#ledger.raise(first, layer, counts);
      }
    }
  }
}

function keyOf(seriesId: number, startMs: number): number {
  const halfDay = Math.floor(startMs / halfDayMs);
  if (!(halfDay >= 0 && halfDay < sheetsPerSeries)) {
    throw new PermanentError('instant-out-of-range', `a window starts at ${startMs} ms, before 1970 or far ahead`);
  }
  return seriesId * sheetsPerSeries + halfDay;
}
