import type { AggregateBatchBuilder, SheetCursor } from '@meterflow/aggregates';
import { AggregateRow, setSum, sumInteger } from '@meterflow/aggregates';
import { decimalsMax, missingCode, powersOfTen } from '@meterflow/readings';
import type { SheetRows } from './aggregate-store.ts';
import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { CorruptSegmentError } from './corrupt-segment-error.ts';

/**
 * The blob of an aggregate sheet: format (1 byte), ticket, start, length in ms, unit, count of rows; where there are
 * rows, their hours and qualities (a byte each), counts, decimals and four columns of values: sums' high and low
 * parts, least, greatest. A column is its width (0: all zero, 1 to 4: int8, int16, int32, float64) and its values.
 * Numbers without a width are varints. Sheets that say the same have the same bytes after
 * the ticket: decimals are the fewest.
 */
const sheetFormat = 1;
const widths = [0, 1, 2, 4, 8] as const;
/** A day of 25 hours and the day itself. */
export const rowsPerSheetMax = 26;

const writer = new ByteWriter();
const reader = new ByteReader();
const row = new AggregateRow();
const columns = {
  high: new Float64Array(rowsPerSheetMax),
  low: new Float64Array(rowsPerSheetMax),
  min: new Float64Array(rowsPerSheetMax),
  max: new Float64Array(rowsPerSheetMax),
};

/** Encodes the cursor's sheet. A view that the next call makes void. */
export function encodeSheet(sheet: SheetCursor): Uint8Array {
  const { batch, rowsFrom, rowsTo, rows } = sheet;
  if (rows > rowsPerSheetMax) {
    throw new RangeError(`a sheet has ${rows} rows; the most is ${rowsPerSheetMax}`);
  }
  writer.reset();
  writer.byte(sheetFormat);
  writer.varint(batch.ticket);
  writer.varint(sheet.startMs);
  writer.varint(sheet.endMs - sheet.startMs);
  writer.text(rows === 0 ? '' : sheet.unit);
  writer.varint(rows);
  if (rows > 0) {
    writer.copy(batch.rows.hour.subarray(rowsFrom, rowsTo));
    writer.copy(batch.rows.quality.subarray(rowsFrom, rowsTo));
    for (let index = rowsFrom; index < rowsTo; index++) {
      writer.varint(batch.rows.count[index] as number);
    }
    writer.byte(takeCanonical(sheet));
    for (const column of [columns.high, columns.low, columns.min, columns.max]) {
      writeColumn(column, rows);
    }
  }
  return writer.bytes.subarray(0, writer.position);
}

/** Fills the columns with the sheet's values at the fewest decimals that hold them, which it returns. */
function takeCanonical({ batch, rowsFrom, rows }: SheetCursor): number {
  const { sumHigh, sumLow, min, max } = batch.rows;
  let spare = batch.decimals;
  for (let index = rowsFrom; index < rowsFrom + rows && spare > 0; index++) {
    // 10^15 has more zeros than there are decimals: the high part of a sum never needs looking at.
    spare = spareDecimals(sumLow[index] as number, spare);
    spare = spareDecimals(min[index] as number, spare);
    spare = spareDecimals(max[index] as number, spare);
  }
  const divisor = powersOfTen[spare] as number;
  for (let index = 0; index < rows; index++) {
    const at = rowsFrom + index;
    const sum = { sumHigh: sumHigh[at] as number, sumLow: sumLow[at] as number };
    if (sum.sumHigh === 0) {
      sum.sumLow /= divisor;
    } else if (spare > 0) {
      setSum(sum, sumInteger(sum.sumHigh, sum.sumLow) / BigInt(divisor));
    }
    columns.high[index] = sum.sumHigh + 0;
    columns.low[index] = sum.sumLow + 0;
    columns.min[index] = (min[at] as number) / divisor + 0;
    columns.max[index] = (max[at] as number) / divisor + 0;
  }
  return batch.decimals - spare;
}

function spareDecimals(value: number, spareMax: number): number {
  let spare = spareMax;
  while (spare > 0 && value % (powersOfTen[spare] as number) !== 0) {
    spare -= 1;
  }
  return spare;
}

function writeColumn(column: Float64Array, rows: number): void {
  let least = 0;
  let greatest = 0;
  for (let index = 0; index < rows; index++) {
    least = Math.min(least, column[index] as number);
    greatest = Math.max(greatest, column[index] as number);
  }
  const width = widthOf(least, greatest);
  const bytesEach = widths[width] as number;
  writer.byte(width);
  writer.reserve(rows * bytesEach);
  const { bytes } = writer;
  let at = writer.position;
  writer.position = at + rows * bytesEach;
  if (bytesEach === 8) {
    bytes.set(new Uint8Array(column.buffer, 0, rows * 8), at);
    return;
  }
  for (let index = 0; index < rows && bytesEach > 0; index++) {
    const value = column[index] as number;
    for (let shift = 0; shift < bytesEach * 8; shift += 8) {
      bytes[at++] = value >> shift;
    }
  }
}

function widthOf(least: number, greatest: number): number {
  if (least === 0 && greatest === 0) {
    return 0;
  }
  if (least >= -0x80 && greatest <= 0x7f) {
    return 1;
  }
  if (least >= -0x8000 && greatest <= 0x7fff) {
    return 2;
  }
  return least >= -0x8000_0000 && greatest <= 0x7fff_ffff ? 3 : 4;
}

/** The ticket of an encoded sheet. */
export function sheetTicket(blob: Uint8Array): number {
  openSheet(blob);
  return reader.varint();
}

/** True when two encoded sheets say the same, whatever their tickets. */
export function sameSheetContent(a: Uint8Array, b: Uint8Array): boolean {
  let at = contentAt(a);
  const shift = contentAt(b) - at;
  if (a.length + shift !== b.length) {
    return false;
  }
  while (at < a.length && a[at] === b[at + shift]) {
    at += 1;
  }
  return at === a.length;
}

function contentAt(blob: Uint8Array): number {
  openSheet(blob);
  reader.varint();
  return reader.position;
}

function openSheet(blob: Uint8Array): void {
  reader.open(blob);
  const format = reader.byte();
  if (format !== sheetFormat) {
    throw new CorruptSegmentError(`a sheet of format ${format}; this build reads ${sheetFormat}`);
  }
}

/** Where a sheet's window starts, and how many rows it has: 0 where it was withdrawn. */
export function sheetHead(blob: Uint8Array): { readonly startMs: number; readonly rows: number } {
  openSheet(blob);
  reader.varint();
  const startMs = reader.varint();
  reader.varint();
  readUnit();
  return { startMs, rows: reader.varint() };
}

/** The unit read last, as text and as bytes: most sheets have the same. */
let unitText = '';
let unitBytes = new Uint8Array(0);

function readUnit(): string {
  if (!reader.skipEqual(unitBytes)) {
    const start = reader.position;
    unitText = reader.text();
    unitBytes = reader.bytes.slice(start, reader.position);
  }
  return unitText;
}

/** What {@link decodeSheet} appends. */
export interface SheetTarget {
  readonly builder: AggregateBatchBuilder;
  /** The builder's index of the sheet's series. */
  readonly series: number;
  readonly rows: SheetRows;
}

/** Appends an encoded sheet to a batch and returns its ticket. Throws CorruptSegmentError for what no encoder wrote. */
export function decodeSheet(blob: Uint8Array, { series, builder, rows: wanted }: SheetTarget): number {
  openSheet(blob);
  const ticket = reader.varint();
  const startMs = reader.varint();
  const endMs = startMs + reader.varint();
  const unit = readUnit();
  const rows = reader.countTo(rowsPerSheetMax);
  if (rows === 0) {
    builder.begin({ series, startMs, endMs, unit: 0, decimals: 0 });
  } else {
    decodeRows({ rows, from: wanted === 'whole' ? rows - 1 : 0 }, { series, startMs, endMs, unit }, builder);
  }
  if (reader.left > 0) {
    throw new CorruptSegmentError('bytes beyond the end of a sheet');
  }
  return ticket;
}

const counts = new Uint32Array(rowsPerSheetMax);

/** Appends the rows from `from` on: all, or the last, which is the whole window's. */
function decodeRows(
  { rows, from }: { rows: number; from: number },
  head: { series: number; startMs: number; endMs: number; unit: string },
  builder: AggregateBatchBuilder,
): void {
  const hoursAt = reader.skip(rows);
  const qualitiesAt = reader.skip(rows);
  for (let index = 0; index < rows; index++) {
    counts[index] = reader.countTo(0xffff_ffff);
  }
  const decimals = reader.byte();
  if (decimals > decimalsMax) {
    throw new CorruptSegmentError(`a sheet with ${decimals} decimals`);
  }
  readColumn(columns.high, from, rows);
  readColumn(columns.low, from, rows);
  readColumn(columns.min, from, rows);
  readColumn(columns.max, from, rows);
  builder.begin({ ...head, unit: builder.text(head.unit), decimals });
  for (let index = from; index < rows; index++) {
    row.hour = reader.bytes[hoursAt + index] as number;
    row.quality = reader.bytes[qualitiesAt + index] as number;
    if (row.quality > missingCode) {
      throw new CorruptSegmentError('a quality that there is not');
    }
    row.count = counts[index] as number;
    row.sumHigh = columns.high[index] as number;
    row.sumLow = columns.low[index] as number;
    row.min = columns.min[index] as number;
    row.max = columns.max[index] as number;
    builder.append(row);
  }
}

function readColumn(column: Float64Array, from: number, rows: number): void {
  const bytesEach = widths[reader.byte()];
  if (bytesEach === undefined) {
    throw new CorruptSegmentError('a column of an unknown width');
  }
  const start = reader.skip(rows * bytesEach);
  if (bytesEach === 0) {
    column.fill(0, from, rows);
    return;
  }
  const view = new DataView(reader.bytes.buffer, reader.bytes.byteOffset + start);
  for (let index = from; index < rows; index++) {
    column[index] = valueAt(view, index, bytesEach);
    if (bytesEach === 8 && !Number.isInteger(column[index])) {
      throw new CorruptSegmentError('a value that is no integer');
    }
  }
}

function valueAt(view: DataView, index: number, bytesEach: number): number {
  switch (bytesEach) {
    case 1:
      return view.getInt8(index);
    case 2:
      return view.getInt16(index * 2, true);
    case 4:
      return view.getInt32(index * 4, true);
    default:
      return view.getFloat64(index * 8, true);
  }
}
