import { powersOfTen, type Cause, type SeriesName } from '@meterflow/readings';
import {
  unknownPeak,
  type AggregateBatch,
  type AggregateRows,
  type RareCount,
  type SheetLevel,
  type Sheets,
} from './aggregate-batch.ts';
import { ColumnBlock } from './column-block.ts';
import { noInputs, type InputVersions } from './input-versions.ts';
import { OddRows } from './odd-rows.ts';
import type { SheetCursor } from './sheet-cursor.ts';
import { setSum, sumInteger, type WideSum } from './wide-sum.ts';

/** One row on its way into a batch. Kept and filled anew for each row. Integers are of 10^-decimals of its sheet. */
export class AggregateRow implements WideSum, Record<RareCount, number> {
  hour = 0;
  sumHigh = 0;
  sumLow = 0;
  min = 0;
  max = 0;
  count = 0;
  quality = 0;
  peakOffsetMs = unknownPeak;
  expected = 0;
  surplus = 0;
  estimated = 0;
  substituted = 0;
  calculated = 0;
  notBillable = 0;
}

/** A sheet as it is begun. `series` and `unit` are indexes that the builder gave out. */
export interface SheetHead {
  readonly series: number;
  readonly startMs: number;
  readonly endMs: number;
  readonly unit: number;
  readonly decimals: number;
  /** None are known unless told. */
  readonly inputs?: InputVersions;
  /** Of its own, where it was read back; else the batch's. */
  readonly ticket?: number;
}

/** What is one for all sheets of a batch. */
export interface AggregateHeader {
  readonly tenant: string;
  readonly level: SheetLevel;
  readonly ticket: number;
  readonly causes: readonly Cause[];
}

/** Collects sheets into an {@link AggregateBatch}. Made once and used again after each `finish`. */
export class AggregateBatchBuilder {
  #sheetCount = 0;
  #sheets = emptySheets(64);
  #sheetDecimals = new Uint8Array(64);
  #rowCount = 0;
  #rows = emptyRows(1_024);
  readonly #odd = new OddRows();
  #series: SeriesName[] = [];
  #seriesIndex = new Map<string, number>();
  #texts: string[] = [''];

  get sheetCount(): number {
    return this.#sheetCount;
  }

  get rowCount(): number {
    return this.#rowCount;
  }

  /** The index of a series in this batch. Valid until `finish`. */
  series(meter: string, channel: string): number {
    const name = `${meter}\n${channel}`;
    let index = this.#seriesIndex.get(name);
    if (index === undefined) {
      index = this.#series.push({ meter, channel }) - 1;
      this.#seriesIndex.set(name, index);
    }
    return index;
  }

  /** The index of a text (a unit) in this batch. Valid until `finish`. */
  text(text: string): number {
    const index = this.#texts.indexOf(text);
    return index >= 0 ? index : this.#texts.push(text) - 1;
  }

  /** Begins a sheet; the rows appended next are its own. Without any it withdraws what was there before. */
  begin(sheet: SheetHead): void {
    if (this.#sheetCount === this.#sheetDecimals.length) {
      this.#growSheets();
    }
    const index = this.#sheetCount++;
    this.#sheets.series[index] = sheet.series;
    this.#sheets.startMs[index] = sheet.startMs;
    this.#sheets.endMs[index] = sheet.endMs;
    this.#sheets.unit[index] = sheet.unit;
    this.#sheets.rows[index] = 0;
    this.#sheetDecimals[index] = sheet.decimals;
    const inputs = sheet.inputs ?? noInputs;
    this.#sheets.declared[index] = inputs.declared;
    this.#sheets.acceptedAtMs[index] = inputs.acceptedAtMs;
    this.#sheets.activation[index] = inputs.activation;
    this.#sheets.ticket[index] = sheet.ticket ?? 0;
  }

  /** Appends a row to the sheet begun last: hours ascending, the whole window last. */
  append(row: AggregateRow): void {
    if (this.#rowCount === this.#rows.hour.length) {
      this.#growRows();
    }
    const index = this.#rowCount++;
    const rows = this.#rows;
    rows.hour[index] = row.hour;
    rows.sumHigh[index] = row.sumHigh;
    rows.sumLow[index] = row.sumLow;
    rows.min[index] = row.min;
    rows.max[index] = row.max;
    rows.count[index] = row.count;
    rows.quality[index] = row.quality;
    rows.peakOffsetMs[index] = row.peakOffsetMs;
    this.#odd.note(index, row);
    (this.#sheets.rows[this.#sheetCount - 1] as number) += 1;
  }

  /** Copies the cursor's sheet as it is. */
  copy(cursor: SheetCursor): void {
    const { meter, channel } = cursor.series;
    this.begin({
      series: this.series(meter, channel),
      startMs: cursor.startMs,
      endMs: cursor.endMs,
      unit: this.text(cursor.unit),
      decimals: cursor.batch.decimals,
      inputs: cursor.inputs,
      ticket: cursor.ticket,
    });
    while (this.#rowCount + cursor.rows > this.#rows.hour.length) {
      this.#growRows();
    }
    const { rowsFrom, rowsTo } = cursor;
    for (const name of rowColumns) {
      this.#rows[name].set(cursor.batch.rows[name].subarray(rowsFrom, rowsTo), this.#rowCount);
    }
    this.#odd.copy(cursor, this.#rowCount);
    this.#rowCount += cursor.rows;
    this.#sheets.rows[this.#sheetCount - 1] = cursor.rows;
  }

  /** Returns what was collected, at the decimals of the finest sheet, and starts over. Indexes given out before are void. */
  finish(header: AggregateHeader): AggregateBatch {
    const batch: AggregateBatch = {
      ...header,
      series: this.#series,
      texts: this.#texts,
      decimals: this.#align(),
      sheets: slicedSheets(this.#sheets, this.#sheetCount),
      rows: this.#finishedRows(),
    };
    this.#sheetCount = 0;
    this.#rowCount = 0;
    this.#series = [];
    this.#seriesIndex = new Map();
    this.#texts = [''];
    return batch;
  }

  #finishedRows(): AggregateRows {
    const rows = slicedRows(this.#rows, this.#rowCount);
    return { ...rows, ...this.#odd.finish(rows.count) };
  }

  /** Brings all rows to the decimals of the finest sheet that has any. */
  #align(): number {
    let decimals = 0;
    for (let sheet = 0; sheet < this.#sheetCount; sheet++) {
      if ((this.#sheets.rows[sheet] as number) > 0) {
        decimals = Math.max(decimals, this.#sheetDecimals[sheet] as number);
      }
    }
    let row = 0;
    for (let sheet = 0; sheet < this.#sheetCount; sheet++) {
      const rowsTo = row + (this.#sheets.rows[sheet] as number);
      const shift = decimals - (this.#sheetDecimals[sheet] as number);
      if (shift > 0) {
        shiftRows(this.#rows, { from: row, to: rowsTo, shift });
      }
      row = rowsTo;
    }
    return decimals;
  }

  #growSheets(): void {
    const longer = emptySheets(this.#sheetDecimals.length * 4);
    for (const name of sheetColumns) {
      longer[name].set(this.#sheets[name]);
    }
    const decimals = new Uint8Array(longer.rows.length);
    decimals.set(this.#sheetDecimals);
    this.#sheets = longer;
    this.#sheetDecimals = decimals;
  }

  #growRows(): void {
    const longer = emptyRows(this.#rows.hour.length * 4);
    for (const name of rowColumns) {
      longer[name].set(this.#rows[name]);
    }
    this.#rows = longer;
  }
}

const sheetColumns = [
  'series',
  'startMs',
  'endMs',
  'unit',
  'rows',
  'declared',
  'acceptedAtMs',
  'activation',
  'ticket',
] as const;
const rowColumns = ['hour', 'sumHigh', 'sumLow', 'min', 'max', 'count', 'quality', 'peakOffsetMs'] as const;
/** The others are kept for the rows that are out of the ordinary alone. */
type DenseRows = Pick<AggregateRows, (typeof rowColumns)[number]>;

function emptySheets(length: number): Sheets {
  return {
    series: new Uint32Array(length),
    startMs: new Float64Array(length),
    endMs: new Float64Array(length),
    unit: new Uint32Array(length),
    rows: new Uint32Array(length),
    declared: new Float64Array(length),
    acceptedAtMs: new Float64Array(length),
    activation: new Float64Array(length),
    ticket: new Float64Array(length),
  };
}

function emptyRows(length: number): DenseRows {
  return {
    hour: new Uint8Array(length),
    sumHigh: new Float64Array(length),
    sumLow: new Float64Array(length),
    min: new Float64Array(length),
    max: new Float64Array(length),
    count: new Uint32Array(length),
    quality: new Uint8Array(length),
    peakOffsetMs: new Float64Array(length),
  };
}

/** Bytes of a sheet's and of a row's columns. */
const sheetBytes = 6 * 8 + 3 * 4;
const rowBytes = 5 * 8 + 4 + 2;

function slicedSheets(sheets: Sheets, length: number): Sheets {
  const block = new ColumnBlock(length * sheetBytes);
  return {
    startMs: block.floats(sheets.startMs, length),
    endMs: block.floats(sheets.endMs, length),
    declared: block.floats(sheets.declared, length),
    acceptedAtMs: block.floats(sheets.acceptedAtMs, length),
    activation: block.floats(sheets.activation, length),
    ticket: block.floats(sheets.ticket, length),
    series: block.integers(sheets.series, length),
    unit: block.integers(sheets.unit, length),
    rows: block.integers(sheets.rows, length),
  };
}

function slicedRows(rows: DenseRows, length: number): DenseRows {
  const block = new ColumnBlock(length * rowBytes);
  return {
    sumHigh: block.floats(rows.sumHigh, length),
    sumLow: block.floats(rows.sumLow, length),
    min: block.floats(rows.min, length),
    max: block.floats(rows.max, length),
    peakOffsetMs: block.floats(rows.peakOffsetMs, length),
    count: block.integers(rows.count, length),
    hour: block.bytes(rows.hour, length),
    quality: block.bytes(rows.quality, length),
  };
}

/** Multiplies by 10^shift. Sums stay exact; of least and greatest see `extremeInteger`. */
function shiftRows(rows: DenseRows, { from, to, shift }: { from: number; to: number; shift: number }): void {
  const factor = powersOfTen[shift] as number;
  const sum: WideSum = { sumHigh: 0, sumLow: 0 };
  for (let row = from; row < to; row++) {
    const low = (rows.sumLow[row] as number) * factor;
    const exact = rows.sumHigh[row] === 0 && Number.isSafeInteger(low);
    setSum(
      sum,
      exact ? low : sumInteger(rows.sumHigh[row] as number, rows.sumLow[row] as number) * 10n ** BigInt(shift),
    );
    rows.sumHigh[row] = sum.sumHigh;
    rows.sumLow[row] = sum.sumLow;
    rows.min[row] = (rows.min[row] as number) * factor;
    rows.max[row] = (rows.max[row] as number) * factor;
  }
}
