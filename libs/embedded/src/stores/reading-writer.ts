import type { StatementSync } from 'node:sqlite';
import { displacedBy, GroupMerger, type OutcomeCounts, type ReadingWrite } from '@meterflow/idempotent-writes';
import type { Cause, Layer, ReadingBatch } from '@meterflow/readings';
import { KeyReader } from './key-reader.ts';
import { LedgerRows, type StoredLedgerRow } from './ledger-rows.ts';
import { OriginWriter } from './origins.ts';
import { daysPerSeries } from './reading-schema.ts';
import { SeriesIndex, type KnownSeries } from './series-index.ts';
import type { StoreFile } from './store-file.ts';

/** A gathering ends with the batch that takes it to this many readings; the transaction goes on. */
const gatheredReadingsMax = 64_000;
/** Of a series, the stored days of a group are read in one go unless that would read this many times as many days. */
const sparseFactorMax = 4;
/** Where series have a day each, so many of these are read at once. */
const daysTogetherMax = 128;

/** What is to be done for one write of a group. */
interface Planned {
  readonly write: ReadingWrite;
  readonly cause: Cause;
  /** Its place among the batches that are merged. */
  readonly batch: number;
}

const unnumbered = -2;
const erased = -1;

type DayRow = [key: number, segment: Uint8Array];

/** Merges groups of batches into one layer's file. Everything happens within the caller's transaction. */
export class ReadingWriter {
  readonly #layer: Layer;
  readonly #index: SeriesIndex;
  readonly #ledger: LedgerRows;
  readonly #merger = new GroupMerger();
  readonly #readDays: StatementSync;
  readonly #readDay: StatementSync;
  readonly #readKeys: KeyReader;
  readonly #putDay: StatementSync;
  readonly #addHistory: StatementSync;
  readonly #addHistorySource: StatementSync;
  readonly #origins: OriginWriter;
  /** By their number in the group. */
  #series: KnownSeries[] = [];
  /** Who brought each batch of the group, by its number there. */
  #sources: number[] = [];
  /** By key, what is stored of the next days of the group. */
  #ahead: ReadonlyMap<number, Uint8Array | undefined> = new Map();
  #group = 0;

  constructor({ database }: StoreFile, layer: Layer) {
    this.#layer = layer;
    this.#index = new SeriesIndex(database, { table: 'days', keysPerSeries: daysPerSeries });
    this.#ledger = new LedgerRows(database);
    this.#readDays = database.prepare('select key, segment from days where key between ? and ?');
    this.#readDays.setReturnArrays(true);
    this.#readDay = database.prepare('select key, segment from days where key = ?');
    this.#readDay.setReturnArrays(true);
    this.#readKeys = new KeyReader(database, { table: 'days', column: 'segment' });
    this.#putDay = database.prepare('insert or replace into days values (?, ?)');
    this.#addHistory = database.prepare('insert into history (key, segment) values (?, ?)');
    this.#addHistorySource = database.prepare('insert into historySources values (?, ?, ?)');
    this.#origins = new OriginWriter(database);
  }

  forget(): void {
    this.#index.forget();
    this.#ledger.forget();
  }

  write(writes: readonly ReadingWrite[]): OutcomeCounts[] {
    const outcomes: OutcomeCounts[] = [];
    let from = 0;
    while (from < writes.length) {
      let readings = 0;
      let to = from;
      while (to < writes.length && readings < gatheredReadingsMax) {
        readings += (writes[to] as ReadingWrite).batch.columns.values.length;
        to += 1;
      }
      outcomes.push(...this.#writeGathered(writes.slice(from, to)));
      from = to;
    }
    this.#ledger.flush();
    return outcomes;
  }

  #writeGathered(writes: readonly ReadingWrite[]): OutcomeCounts[] {
    this.#group += 1;
    this.#series = [];
    this.#sources = [];
    this.#ahead = new Map();
    this.#merger.begin();
    const planned = new Map<string, Planned>();
    const results = writes.map((write) => this.#plan(write, planned));
    this.#merger.sort();
    this.#mergeDays();
    for (const { write, cause, batch } of planned.values()) {
      // As they are by now: parts of one batch may be stored together.
      const rows = this.#ledger.rows(cause, this.#layer);
      if (!rows.some((row) => isPart(row, cause))) {
        const counts = this.#merger.outcomes(batch);
        this.#ledger.add(cause, this.#layer, { writeKey: write.key, counts, rows });
      }
    }
    return results.map((result) => (typeof result === 'number' ? this.#merger.outcomes(result) : result));
  }

  /** The batch's number in the merge, or the outcome of the earlier try that stored it. */
  #plan(write: ReadingWrite, planned: Map<string, Planned>): number | OutcomeCounts {
    const { batch } = write;
    const cause = batch.cause ?? { sourceId: batch.sourceId, key: write.key, part: 0, parts: 1 };
    const path = `${cause.sourceId} ${cause.key} ${cause.parts} ${cause.part}`;
    const earlier = planned.get(path);
    if (earlier?.write.key === write.key) {
      return earlier.batch;
    }
    const rows = this.#ledger.rows(cause, this.#layer);
    const stored = rows.find((row) => isPart(row, cause) && row.writeKey === write.key);
    if (stored !== undefined) {
      const { inserted, superseded, shadowed, duplicate, conflict } = stored;
      return { inserted, superseded, shadowed, duplicate, conflict };
    }
    const numbers = this.#numbers(batch);
    const number = this.#merger.add(batch, numbers);
    this.#sources[number] = this.#ledger.source(cause.sourceId);
    if (earlier === undefined) {
      if (this.#layer === 'raw') {
        const idOf = (series: number): number | undefined => this.#series[numbers[series] as number]?.id;
        this.#origins.add(batch, this.#ledger.source(batch.sourceId), idOf);
      }
      planned.set(path, { write, cause, batch: number });
    }
    return number;
  }

  /** The group's numbers of the series that have readings; -1 where the batch is older than the series' erasure. */
  #numbers({ tenant, series, acceptedAtMs, columns }: ReadingBatch): Int32Array {
    const numbers = new Int32Array(series.length).fill(unnumbered);
    if (acceptedAtMs <= this.#index.tenantErasedTo(tenant)) {
      // Not even the names of an erased tenant's series come back.
      return numbers.fill(erased);
    }
    for (const index of columns.spans.series) {
      const name = series[index];
      if (name === undefined || numbers[index] !== unnumbered) {
        continue;
      }
      const known = this.#index.series(tenant, name);
      if (known.group !== this.#group) {
        known.group = this.#group;
        known.number = this.#series.push(known) - 1;
      }
      numbers[index] = acceptedAtMs <= known.erasedTo ? erased : known.number;
    }
    return numbers;
  }

  #mergeDays(): void {
    const merger = this.#merger;
    let stored: DayRow[] = [];
    let at = 0;
    let seriesNow = -1;
    while (merger.next()) {
      const series = this.#series[merger.series] as KnownSeries;
      if (merger.series !== seriesNow) {
        seriesNow = merger.series;
        stored = this.#storedDays(series);
        at = 0;
      }
      const key = series.id * daysPerSeries + merger.day;
      while (at < stored.length && (stored[at] as DayRow)[0] < key) {
        at += 1;
      }
      const row = stored[at];
      const segment = merger.merge(row?.[0] === key ? row[1] : undefined);
      if (segment !== undefined) {
        this.#putDay.run(key, segment);
        series.keyMax = Math.max(series.keyMax, key);
      }
      for (const { by, blob } of merger.historyParts()) {
        const { lastInsertRowid } = this.#addHistory.run(key, blob);
        const displaced = by < 0;
        const source = this.#sources[displaced ? displacedBy(by) : by];
        if (source !== undefined) {
          this.#addHistorySource.run(lastInsertRowid, source, Number(displaced));
        }
      }
    }
  }

  /** What is stored of the days that the group touches of the series it has just come to. */
  #storedDays({ id, keyMax }: KnownSeries): DayRow[] {
    const first = id * daysPerSeries + this.#merger.day;
    if (first > keyMax) {
      return [];
    }
    const days = this.#merger.daysAhead();
    if (days.length === 1) {
      const segment = this.#storedDay(first);
      return segment === undefined ? [] : [[first, segment]];
    }
    const last = id * daysPerSeries + (days.at(-1) as number);
    if (last - first < days.length * sparseFactorMax) {
      return this.#readDays.all(first, last) as unknown as DayRow[];
    }
    return days.flatMap((day) => {
      const row = this.#readDay.get(id * daysPerSeries + day) as unknown as DayRow | undefined;
      return row === undefined ? [] : [row];
    });
  }

  /** The days of live push: one of each of many series. */
  #storedDay(key: number): Uint8Array | undefined {
    if (!this.#ahead.has(key)) {
      const ahead = this.#merger.ahead(daysTogetherMax);
      const keys = ahead.map(({ series, day }) => (this.#series[series] as KnownSeries).id * daysPerSeries + day);
      this.#ahead = this.#readKeys.read(keys);
    }
    return this.#ahead.get(key);
  }
}

function isPart(row: StoredLedgerRow, cause: Cause): boolean {
  return row.parts === cause.parts && row.part === cause.part;
}
