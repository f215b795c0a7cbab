import type { ReadingBatch } from '@meterflow/readings';
import { Attributes } from './attributes.ts';
import { DayPieces } from './day-pieces.ts';
import { incomingColumns, type IncomingColumns } from './incoming-columns.ts';
import { DayMerger, type HistoryPart } from './merge-day.ts';
import type { OutcomeCounts } from './outcome.ts';
import { OutcomeTally, shadowedIndex } from './outcome-tally.ts';

/** The table of labels starts over when it has grown to this, so that endless reasons take no endless memory. */
const labelsMax = 50_000;

/** Two instants: when the first reading of a day starts, and when the last. */
export interface DayExtent {
  readonly firstMs: number;
  readonly lastMs: number;
}

/** A series, as the caller numbered it, and a UTC day. */
export interface SeriesDay {
  readonly series: number;
  readonly day: number;
}

/**
 * Merges a group of batches into a store, series-day by series-day: what the batches of a group say of one day is
 * gathered, so that the day is read and written once.
 *
 *     begin → add each batch → sort → while (next) { merge(stored blob) → blob to store, history() } → outcomes(batch)
 *
 * Made once for a store and used for every group; between calls it keeps its buffers and no readings.
 */
export class GroupMerger {
  readonly #tally = new OutcomeTally();
  readonly #pieces = new DayPieces();
  readonly #generalOnly: boolean;
  #attributes: Attributes;
  #merger: DayMerger;
  #columns: IncomingColumns[] = [];
  #from = 0;
  #to = 0;
  #series = 0;
  #day = 0;

  constructor(options: { readonly generalOnly?: boolean } = {}) {
    this.#generalOnly = options.generalOnly ?? false;
    this.#attributes = new Attributes();
    this.#merger = this.#newMerger();
  }

  /** The series (as numbered by the caller) and UTC day that {@link next} moved to. */
  get series(): number {
    return this.#series;
  }

  get day(): number {
    return this.#day;
  }

  begin(): void {
    if (this.#attributes.labels.size > labelsMax) {
      this.#attributes = new Attributes();
      this.#merger = this.#newMerger();
    }
    this.#merger.reset();
    this.#pieces.reset();
    this.#columns = [];
    this.#tally.reset();
    this.#from = 0;
    this.#to = 0;
  }

  /**
   * Adds a batch; `series[i]` numbers its i-th series within the group (from 0), -1 where its
   * readings are to be left out and counted as shadowed. Returns the batch's number, for `outcomes`. Throws UnstorableBatchError: the group is then void.
   */
  add(batch: Pick<ReadingBatch, 'columns'>, series: Int32Array): number {
    const number = this.#columns.length;
    this.#tally.grow(number + 1);
    this.#columns.push(incomingColumns(batch.columns, this.#attributes));
    const left = this.#pieces.add(batch, number, series);
    this.#tally.add(number, shadowedIndex, left);
    return number;
  }

  sort(): void {
    this.#pieces.sort();
  }

  /** Moves to the next series-day, by series, then day; false after the last. */
  next(): boolean {
    const pieces = this.#pieces;
    this.#from = this.#to;
    if (this.#from >= pieces.length) {
      return false;
    }
    const first = pieces.order[this.#from] as number;
    this.#series = pieces.series[first] as number;
    this.#day = pieces.day[first] as number;
    this.#to = this.#from + 1;
    while (this.#to < pieces.length && this.#sameDay(pieces.order[this.#to] as number)) {
      this.#to += 1;
    }
    return true;
  }

  /** From when to when readings of the current series-day start, those of the batches. */
  extent(): DayExtent {
    const pieces = this.#pieces;
    let firstMs = Infinity;
    let lastMs = -Infinity;
    for (let place = this.#from; place < this.#to; place++) {
      const piece = pieces.order[place] as number;
      const startMs = pieces.startMs[piece] as number;
      const count = pieces.count[piece] as number;
      firstMs = Math.min(firstMs, startMs);
      lastMs = Math.max(lastMs, startMs + (count - 1) * (pieces.stepMs[piece] as number));
    }
    return { firstMs, lastMs };
  }

  /** The days of the current series that the group touches, from the current one on, ascending. */
  daysAhead(): number[] {
    const pieces = this.#pieces;
    const days = [this.#day];
    for (let place = this.#to; place < pieces.length; place++) {
      const piece = pieces.order[place] as number;
      if (pieces.series[piece] !== this.#series) {
        break;
      }
      const day = pieces.day[piece] as number;
      if (day !== days.at(-1)) {
        days.push(day);
      }
    }
    return days;
  }

  /** The series-days from the current one on, in their order, so many of them at the most. */
  ahead(max: number): SeriesDay[] {
    const pieces = this.#pieces;
    const ahead: SeriesDay[] = [{ series: this.#series, day: this.#day }];
    for (let place = this.#to; place < pieces.length && ahead.length < max; place++) {
      const piece = pieces.order[place] as number;
      const [series, day] = [pieces.series[piece] as number, pieces.day[piece] as number];
      const last = ahead.at(-1);
      if (last?.series !== series || last.day !== day) {
        ahead.push({ series, day });
      }
    }
    return ahead;
  }

  /** Merges the current series-day. Returns its new blob, undefined where nothing changed; void after the next call. */
  merge(stored: Uint8Array | undefined): Uint8Array | undefined {
    return this.#merger.merge(stored, {
      day: this.#day,
      pieces: this.#pieces,
      from: this.#from,
      to: this.#to,
      columns: this.#columns,
    });
  }

  /** What the last merge replaced, as a blob of the same format; undefined where that is nothing. */
  history(): Uint8Array | undefined {
    return this.#merger.history(this.#day);
  }

  /** The same, apart by who has to do with it. */
  historyParts(): Iterable<HistoryPart> {
    return this.#merger.historyParts(this.#day);
  }

  /** What became of the readings of a batch. */
  outcomes(batch: number): OutcomeCounts {
    return this.#tally.of(batch);
  }

  #sameDay(piece: number): boolean {
    return this.#pieces.series[piece] === this.#series && this.#pieces.day[piece] === this.#day;
  }

  #newMerger(): DayMerger {
    return new DayMerger(this.#attributes, this.#tally, { generalOnly: this.#generalOnly });
  }
}
