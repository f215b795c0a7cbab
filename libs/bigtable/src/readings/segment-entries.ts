import { dayMs, type GroupMerger, type OutcomeCounts } from '@meterflow/idempotent-writes';
import type { Layer, ReadingBatch } from '@meterflow/readings';
import { PermanentError } from '@meterflow/stage';
import { checkCell, checkKey } from '../client/table.ts';
import { seriesPrefix, withDay } from '../rows/series-key.ts';
import { tables } from '../schema.ts';
import { cutEntries, type EncodedEntry } from '../wire/mutate-rows.ts';
import { ReverseWriter } from '../wire/reverse-writer.ts';
import { dayMicros, layerNumber, qualifierOf, writeSegment } from './segment-cell.ts';

/** One row that a batch changes. */
export interface TouchedRow {
  readonly key: Buffer;
  readonly day: number;
  /** Its readings start within these, in ms of the day. */
  readonly fromMs: number;
  readonly toMs: number;
}

/** A batch as changes of rows: the same batch makes the same cells, whatever it is written with. */
export interface BatchEntries {
  readonly rows: readonly TouchedRow[];
  readonly entries: readonly EncodedEntry[];
  /** Judged within the batch alone. */
  readonly outcomes: OutcomeCounts;
}

const unnamed = -2;
const leftOut = -1;

/** Numbers a batch's series as they stand in it; those `isErased` names are left out. */
export function seriesNumbers(
  { series, columns }: ReadingBatch,
  isErased?: (series: number) => boolean,
): Int32Array<ArrayBuffer> {
  const numbers = new Int32Array(series.length).fill(unnamed);
  for (const index of columns.spans.series) {
    if (index < series.length && numbers[index] === unnamed) {
      numbers[index] = isErased?.(index) === true ? leftOut : index;
    }
  }
  return numbers;
}

/** Encodes batches of one layer into changes of rows, each series-day one segment. Keeps its buffers. */
export class SegmentEntries {
  readonly #merger: GroupMerger;
  readonly #layer: number;
  readonly #writer = new ReverseWriter();

  constructor(merger: GroupMerger, layer: Layer) {
    this.#merger = merger;
    this.#layer = layerNumber(layer);
  }

  /** `numbers`: see `seriesNumbers`. Throws UnstorableBatchError, and PermanentError for what passes a limit. */
  encode(batch: ReadingBatch, numbers: Int32Array): BatchEntries {
    const merger = this.#merger;
    const writer = this.#writer;
    merger.begin();
    writer.reset();
    const number = merger.add(batch, numbers);
    merger.sort();
    const rows: TouchedRow[] = [];
    const ends: number[] = [];
    let series = -1;
    let prefix: Buffer = Buffer.alloc(0);
    while (merger.next()) {
      if (merger.series !== series) {
        series = merger.series;
        const { meter, channel } = batch.series[series] as ReadingBatch['series'][number];
        prefix = seriesPrefix({ tenant: batch.tenant, meter, channel });
      }
      rows.push(this.#row(prefix, batch.acceptedAtMs));
      ends.push(writer.length);
    }
    return { rows, entries: cutEntries(writer, ends), outcomes: merger.outcomes(number) };
  }

  #row(prefix: Buffer, acceptedAtMs: number): TouchedRow {
    const merger = this.#merger;
    const writer = this.#writer;
    const { day } = merger;
    if (day === 0) {
      throw new PermanentError('instant-out-of-range', 'a reading of the first day of 1970, which has no cell time');
    }
    const key = withDay(prefix, day);
    const extent = merger.extent();
    checkKey(key);
    const { length } = writer;
    const blob = merger.merge(undefined);
    if (blob !== undefined) {
      this.#set(acceptedAtMs, blob, { day, extent });
    }
    const replaced = merger.history();
    if (replaced !== undefined) {
      this.#set(acceptedAtMs, replaced, { day, extent });
    }
    writer.bytesField(1, key);
    writer.head(2, length);
    return { key, day, fromMs: extent.firstMs - day * dayMs, toMs: extent.lastMs - day * dayMs };
  }

  #set(
    acceptedAtMs: number,
    blob: Uint8Array,
    place: { day: number; extent: ReturnType<GroupMerger['extent']> },
  ): void {
    const writer = this.#writer;
    const { length } = writer;
    writeSegment(writer, acceptedAtMs, blob);
    const value = writer.view(length);
    const micros = dayMicros(place.day);
    checkCell(value.length, micros);
    const qualifier = qualifierOf({ layer: this.#layer, ...place }, value);
    writer.head(4, length);
    writer.numberField(3, micros);
    writer.bytesField(2, qualifier);
    writer.textField(1, tables.readings.segments);
    writer.head(1, length);
    writer.head(2, length);
  }
}
