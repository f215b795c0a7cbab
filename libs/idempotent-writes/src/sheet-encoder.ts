import {
  oddCounts,
  peakStepMs,
  setSum,
  sumInteger,
  unknownPeak,
  type AggregateRows,
  type SheetCursor,
} from '@meterflow/aggregates';
import { powersOfTen } from '@meterflow/readings';
import { ByteWriter } from './byte-writer.ts';
import { rowsPerSheetMax, sheetFormat, sheetWidths } from './sheet-format.ts';

const writer = new ByteWriter();
/** What format 2 added, whose length comes before it. */
const added = new ByteWriter();
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
  takeAdded(sheet);
  writer.varint(added.position);
  writer.copy(added.bytes.subarray(0, added.position));
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

function takeAdded(sheet: SheetCursor): void {
  const { rows, sheets } = sheet.batch;
  added.reset();
  added.varint(sheets.declared[sheet.sheet] as number);
  added.varint(sheets.acceptedAtMs[sheet.sheet] as number);
  added.varint(sheets.activation[sheet.sheet] as number);
  if (sheet.rows > 0) {
    takePeaks(rows.peakOffsetMs, sheet);
    takeOddRows(rows, sheet);
  }
}

function takePeaks(offsetsMs: Float64Array, { rowsFrom, rowsTo }: SheetCursor): void {
  const stepMs = peakStepMs(offsetsMs, rowsFrom, rowsTo);
  added.varint(stepMs);
  for (let row = rowsFrom; row < rowsTo && stepMs > 0; row++) {
    const offsetMs = offsetsMs[row] as number;
    added.varint(offsetMs === unknownPeak ? 0 : offsetMs / stepMs + 1);
  }
}

function takeOddRows(rows: AggregateRows, { rowsFrom, oddFrom, oddTo }: SheetCursor): void {
  added.varint(oddTo - oddFrom);
  for (let odd = oddFrom; odd < oddTo; odd++) {
    const row = rows.odd[odd] as number;
    added.varint(row - rowsFrom);
    for (const name of oddCounts) {
      added.varint(rows[name][row] as number);
    }
  }
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
    const value = column[index] as number;
    least = value < least ? value : least;
    greatest = value > greatest ? value : greatest;
  }
  const width = widthOf(least, greatest);
  const bytesEach = sheetWidths[width] as number;
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
    bytes[at++] = value;
    if (bytesEach > 1) {
      bytes[at++] = value >> 8;
    }
    if (bytesEach > 2) {
      bytes[at++] = value >> 16;
      bytes[at++] = value >> 24;
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
