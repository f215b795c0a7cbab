import type { ReadingBatch, Spans } from '@meterflow/readings';
import type { IncomingColumns } from './incoming-columns.ts';
import { dayMax, dayMs } from './segment-format.ts';
import { UnstorableBatchError } from './unstorable-batch-error.ts';

/** Pieces and series of one gathering; with `dayMax` they fix that a sort key fits 53 bits. */
const piecesMax = 2 ** 17;
const gatheredSeriesMax = 2 ** 17;

/** The pieces of one series-day: `pieces.order[from]` to `pieces.order[to - 1]`. */
export interface SeriesDayPieces {
  readonly day: number;
  readonly pieces: DayPieces;
  readonly from: number;
  readonly to: number;
  /** By the batch number of a piece. */
  readonly columns: readonly IncomingColumns[];
}

/**
 * Batches cut at the days of their series: piece `i` is `count` readings of `series[i]` within the UTC day `day[i]`,
 * `stepMs` apart, from reading `first[i]` of batch `batch[i]` on. After `sort` the pieces of one series-day follow each
 * other, in the order they were added: a file that repeats a line later has several.
 */
export class DayPieces {
  length = 0;
  batch = new Uint32Array(256);
  series = new Uint32Array(256);
  day = new Uint32Array(256);
  first = new Uint32Array(256);
  count = new Uint32Array(256);
  startMs = new Float64Array(256);
  stepMs = new Uint32Array(256);
  lengthMs = new Uint32Array(256);
  /** The pieces in the order of series, day, and how they were added. */
  order = new Uint32Array(256);
  #keys = new Float64Array(256);
  #sorted = true;

  reset(): void {
    this.length = 0;
    this.#sorted = true;
  }

  /**
   * Adds a batch's pieces; `series[i]` is the number its i-th series has in this gathering, or -1 to leave it out.
   * Returns how many readings were left out.
   */
  add(batch: Pick<ReadingBatch, 'columns'>, batchIndex: number, series: Int32Array): number {
    const { spans, values } = batch.columns;
    let first = 0;
    let left = 0;
    for (let span = 0; span < spans.count.length; span++) {
      const count = spans.count[span] as number;
      const number = series[spans.series[span] as number];
      if (number === undefined || first + count > values.length) {
        throw new UnstorableBatchError('broken-columns', 'the batch has spans that do not fit its readings');
      }
      if (number >= gatheredSeriesMax) {
        throw new UnstorableBatchError('too-many-pieces', `the batch has more than ${gatheredSeriesMax} series`);
      }
      if (number < 0) {
        left += count;
      } else {
        this.#cut(spans, { span, first, batch: batchIndex, series: number });
      }
      first += count;
    }
    if (first !== values.length) {
      throw new UnstorableBatchError('broken-columns', 'the batch has readings that no span names');
    }
    return left;
  }

  #cut(spans: Spans, at: { span: number; first: number; batch: number; series: number }): void {
    const stepMs = spans.stepMs[at.span] as number;
    const lengthMs = spans.lengthMs[at.span] as number;
    let startMs = spans.startMs[at.span] as number;
    let left = spans.count[at.span] as number;
    let first = at.first;
    while (left > 0) {
      const day = Math.floor(startMs / dayMs);
      if (!(day >= 0 && day < dayMax && Number.isInteger(startMs))) {
        throw new UnstorableBatchError(
          'instant-out-of-range',
          `a reading starts at ${startMs} ms, before 1970 or far ahead`,
        );
      }
      const within = stepMs === 0 ? left : Math.ceil(((day + 1) * dayMs - startMs) / stepMs);
      const count = Math.min(left, within);
      const piece = this.#next();
      this.batch[piece] = at.batch;
      this.series[piece] = at.series;
      this.day[piece] = day;
      this.first[piece] = first;
      this.count[piece] = count;
      this.startMs[piece] = startMs;
      this.stepMs[piece] = stepMs;
      this.lengthMs[piece] = lengthMs;
      this.#follow(piece);
      first += count;
      left -= count;
      startMs += count * stepMs;
    }
  }

  #next(): number {
    if (this.length === piecesMax) {
      throw new UnstorableBatchError('too-many-pieces', `the batch touches more than ${piecesMax} series-days`);
    }
    if (this.length === this.batch.length) {
      this.#grow();
    }
    return this.length++;
  }

  #follow(piece: number): void {
    const key = (this.series[piece] as number) * dayMax + (this.day[piece] as number);
    if (piece > 0 && key < (this.#keys[piece - 1] as number)) {
      this.#sorted = false;
    }
    this.#keys[piece] = key;
  }

  sort(): void {
    const { length } = this;
    if (this.#sorted) {
      for (let piece = 0; piece < length; piece++) {
        this.order[piece] = piece;
      }
      return;
    }
    // The piece's number in the low digits keeps the sort stable and tells afterwards which piece it was.
    const keys = this.#keys.subarray(0, length);
    for (let piece = 0; piece < length; piece++) {
      keys[piece] = (keys[piece] as number) * piecesMax + piece;
    }
    keys.sort();
    for (let place = 0; place < length; place++) {
      this.order[place] = (keys[place] as number) % piecesMax;
    }
  }

  #grow(): void {
    const length = this.batch.length * 2;
    const longer = (column: Uint32Array): Uint32Array<ArrayBuffer> => {
      const copy = new Uint32Array(length);
      copy.set(column);
      return copy;
    };
    const longerFloats = (column: Float64Array): Float64Array<ArrayBuffer> => {
      const copy = new Float64Array(length);
      copy.set(column);
      return copy;
    };
    this.batch = longer(this.batch);
    this.series = longer(this.series);
    this.day = longer(this.day);
    this.first = longer(this.first);
    this.count = longer(this.count);
    this.stepMs = longer(this.stepMs);
    this.lengthMs = longer(this.lengthMs);
    this.order = longer(this.order);
    this.startMs = longerFloats(this.startMs);
    this.#keys = longerFloats(this.#keys);
  }
}
