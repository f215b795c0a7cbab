import { AggregateRow, type AggregateBatchBuilder } from '@meterflow/aggregates';
import { decimalsMax, missingCode } from '@meterflow/readings';
import type { SheetRows } from './aggregate-store.ts';
import { ByteReader } from './byte-reader.ts';
import { CorruptSegmentError } from './corrupt-segment-error.ts';
import { rowsPerSheetMax, sheetFormat, sheetWidths } from './sheet-format.ts';
import { openFormat } from './stored-format.ts';

const reader = new ByteReader();
const row = new AggregateRow();
const columns = {
  high: new Float64Array(rowsPerSheetMax),
  low: new Float64Array(rowsPerSheetMax),
  min: new Float64Array(rowsPerSheetMax),
  max: new Float64Array(rowsPerSheetMax),
};

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
  readFormat();
}

function readFormat(): void {
  openFormat(reader, sheetFormat, 'sheet');
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

/** What decoded sheets are appended to. */
export interface SheetTarget {
  readonly builder: AggregateBatchBuilder;
  /** The builder's index of the sheets' series. */
  readonly series: number;
  readonly rows: SheetRows;
}

/** Appends an encoded sheet to a batch and returns its ticket. Throws CorruptSegmentError for what no encoder wrote. */
export function decodeSheet(blob: Uint8Array, target: SheetTarget): number {
  reader.open(blob);
  readSheet(target.rows);
  if (reader.left > 0) {
    throw new CorruptSegmentError('bytes beyond the end of a sheet');
  }
  appendSheet(target);
  return head.ticket;
}

/**
 * Appends those of the sheets, which lie in `bytes` one after the other, that start in [fromMs, toMs) and were not
 * withdrawn. Returns the highest of their tickets, 0 where there are none. Throws as {@link decodeSheet} does.
 */
export function decodeStanding(
  bytes: Uint8Array,
  target: SheetTarget & { readonly fromMs: number; readonly toMs: number },
): number {
  let ticket = 0;
  reader.open(bytes);
  while (reader.left > 0) {
    readSheet(target.rows);
    if (head.rows > 0 && head.startMs >= target.fromMs && head.startMs < target.toMs) {
      appendSheet(target);
      ticket = Math.max(ticket, head.ticket);
    }
  }
  return ticket;
}

/** The sheet read last; its rows from `from` on are in `columns`, all or the last, which is the whole window's. */
const head = { ticket: 0, startMs: 0, endMs: 0, unit: '', decimals: 0, rows: 0, from: 0, hoursAt: 0, qualitiesAt: 0 };
const counts = new Uint32Array(rowsPerSheetMax);

function readSheet(wanted: SheetRows): void {
  readFormat();
  head.ticket = reader.varint();
  head.startMs = reader.varint();
  head.endMs = head.startMs + reader.varint();
  head.unit = readUnit();
  head.rows = reader.countTo(rowsPerSheetMax);
  head.from = wanted === 'whole' ? Math.max(0, head.rows - 1) : 0;
  head.decimals = 0;
  if (head.rows > 0) {
    readRows(head.rows, head.from);
  }
}

function readRows(rows: number, from: number): void {
  head.hoursAt = reader.skip(rows);
  head.qualitiesAt = reader.skip(rows);
  for (let index = 0; index < rows; index++) {
    counts[index] = reader.countTo(0xffff_ffff);
  }
  head.decimals = reader.byte();
  if (head.decimals > decimalsMax) {
    throw new CorruptSegmentError(`a sheet with ${head.decimals} decimals`);
  }
  readColumn(columns.high, from, rows);
  readColumn(columns.low, from, rows);
  readColumn(columns.min, from, rows);
  readColumn(columns.max, from, rows);
}

function appendSheet({ builder, series }: SheetTarget): void {
  const { startMs, endMs, unit, decimals } = head;
  builder.begin({ series, startMs, endMs, unit: head.rows === 0 ? 0 : builder.text(unit), decimals });
  for (let index = head.from; index < head.rows; index++) {
    row.hour = reader.bytes[head.hoursAt + index] as number;
    row.quality = reader.bytes[head.qualitiesAt + index] as number;
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
  const bytesEach = sheetWidths[reader.byte()];
  if (bytesEach === undefined) {
    throw new CorruptSegmentError('a column of an unknown width');
  }
  const at = reader.skip(rows * bytesEach) + from * bytesEach;
  switch (bytesEach) {
    case 0:
      column.fill(0, from, rows);
      return;
    case 1:
      readBytes(column, { from, rows, at });
      return;
    case 2:
      readShorts(column, { from, rows, at });
      return;
    case 4:
      readIntegers(column, { from, rows, at });
      return;
    case 8:
      readWide(column, { from, rows, at });
  }
}

/** The values [from, rows) of a column, which begin at byte `at`. */
interface ColumnPart {
  readonly from: number;
  readonly rows: number;
  readonly at: number;
}

function readBytes(column: Float64Array, { from, rows, at }: ColumnPart): void {
  const { bytes } = reader;
  for (let index = from, byte = at; index < rows; index++, byte++) {
    column[index] = ((bytes[byte] as number) << 24) >> 24;
  }
}

function readShorts(column: Float64Array, { from, rows, at }: ColumnPart): void {
  const { bytes } = reader;
  for (let index = from, byte = at; index < rows; index++, byte += 2) {
    column[index] = (((bytes[byte] as number) | ((bytes[byte + 1] as number) << 8)) << 16) >> 16;
  }
}

function readIntegers(column: Float64Array, { from, rows, at }: ColumnPart): void {
  const { bytes } = reader;
  for (let index = from, byte = at; index < rows; index++, byte += 4) {
    column[index] =
      (bytes[byte] as number) |
      ((bytes[byte + 1] as number) << 8) |
      ((bytes[byte + 2] as number) << 16) |
      ((bytes[byte + 3] as number) << 24);
  }
}

const wide = new Float64Array(rowsPerSheetMax);
const wideBytes = new Uint8Array(wide.buffer);

function readWide(column: Float64Array, { from, rows, at }: ColumnPart): void {
  wideBytes.set(reader.bytes.subarray(at, at + (rows - from) * 8));
  for (let index = from; index < rows; index++) {
    const value = wide[index - from] as number;
    if (!Number.isInteger(value)) {
      throw new CorruptSegmentError('a value that is no integer');
    }
    column[index] = value;
  }
}
