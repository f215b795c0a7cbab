import { AggregateRow, noInputs, oddCounts, unknownPeak, type AggregateBatchBuilder } from '@meterflow/aggregates';
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

/** True when two encoded sheets say the same, whatever their tickets and versions. */
export function sameSheetContent(a: Uint8Array, b: Uint8Array): boolean {
  const left = contentOf(a);
  const right = contentOf(b);
  return (
    sameBytes(
      { bytes: a, from: left.factsFrom, to: left.factsTo },
      { bytes: b, from: right.factsFrom, to: right.factsTo },
    ) &&
    sameBytes({ bytes: a, from: left.valuesFrom, to: a.length }, { bytes: b, from: right.valuesFrom, to: b.length })
  );
}

interface Bytes {
  readonly bytes: Uint8Array;
  readonly from: number;
  readonly to: number;
}

function sameBytes(a: Bytes, b: Bytes): boolean {
  if (a.to - a.from !== b.to - b.from) {
    return false;
  }
  let at = a.from;
  const shift = b.from - a.from;
  while (at < a.to && a.bytes[at] === b.bytes[at + shift]) {
    at += 1;
  }
  return at === a.to;
}

/** Where in a blob stands what it says: the facts behind the versions, and all that follows the ticket. */
function contentOf(blob: Uint8Array): { factsFrom: number; factsTo: number; valuesFrom: number } {
  openSheet(blob);
  const { at, to } = facts;
  reader.varint();
  const valuesFrom = reader.position;
  const isNewer = (blob[0] as number) > sheetFormat;
  return { factsFrom: at, factsTo: isNewer ? endOfFacts(blob) : to, valuesFrom };
}

/** Where what this build knows of a newer build's sheet ends. */
function endOfFacts(blob: Uint8Array): number {
  reader.open(blob);
  readSheet('whole');
  return facts.end;
}

function openSheet(blob: Uint8Array): void {
  reader.open(blob);
  readFormat();
}

/** Reads the format and the versions, and notes where the facts are. */
function readFormat(): void {
  const { from, to } = openFormat(reader, sheetFormat, 'sheet');
  facts.at = from;
  facts.to = to;
  if (from < to) {
    const { position } = reader;
    reader.position = from;
    facts.inputs = { declared: reader.varint(), acceptedAtMs: reader.varint(), activation: reader.varint() };
    facts.at = reader.position;
    facts.end = facts.at;
    checkWithin(to);
    reader.position = position;
  } else {
    facts.end = from;
    facts.inputs = noInputs;
  }
}

function checkWithin(to: number): void {
  if (reader.position > to) {
    throw new CorruptSegmentError('what was added to a sheet ends too early');
  }
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
/** What the sheet read last says beside its values, and where: bytes [at, to). */
const facts = {
  at: 0,
  to: 0,
  /** Where those that this build knows end. */
  end: 0,
  inputs: noInputs,
  peaks: new Float64Array(rowsPerSheetMax),
  /** How many rows are out of the ordinary, which, and their counts, one row after the other. */
  odd: 0,
  oddRows: new Uint8Array(rowsPerSheetMax),
  oddCounts: new Uint32Array(rowsPerSheetMax * oddCounts.length),
};

function readFacts(at: number, to: number): void {
  facts.odd = 0;
  if (at === to) {
    facts.peaks.fill(unknownPeak);
    return;
  }
  const { position } = reader;
  reader.position = at;
  const stepMs = reader.varint();
  if (stepMs === 0) {
    facts.peaks.fill(unknownPeak);
  } else {
    reader.skipVarints(head.from);
    for (let index = head.from; index < head.rows; index++) {
      const step = reader.varint();
      facts.peaks[index] = step === 0 ? unknownPeak : (step - 1) * stepMs;
    }
  }
  facts.odd = reader.countTo(head.rows);
  for (let odd = 0, next = 0; odd < facts.odd; odd++) {
    facts.oddRows[odd] = reader.countTo(head.rows - 1);
    oddCounts.forEach(() => {
      facts.oddCounts[next++] = reader.countTo(0xffff_ffff);
    });
  }
  facts.end = reader.position;
  checkWithin(to);
  reader.position = position;
}

function readSheet(wanted: SheetRows): void {
  readFormat();
  const { at, to } = facts;
  head.ticket = reader.varint();
  head.startMs = reader.varint();
  head.endMs = head.startMs + reader.varint();
  head.unit = readUnit();
  head.rows = reader.countTo(rowsPerSheetMax);
  head.from = wanted === 'whole' ? Math.max(0, head.rows - 1) : 0;
  head.decimals = 0;
  if (head.rows > 0) {
    readRows(head.rows, head.from);
    readFacts(at, to);
  }
}

function readRows(rows: number, from: number): void {
  head.hoursAt = reader.skip(rows);
  head.qualitiesAt = reader.skip(rows);
  reader.skipVarints(from);
  for (let index = from; index < rows; index++) {
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
  const { inputs } = facts;
  const { ticket } = head;
  builder.begin({ series, startMs, endMs, unit: head.rows === 0 ? 0 : builder.text(unit), decimals, inputs, ticket });
  let odd = 0;
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
    row.peakOffsetMs = facts.peaks[index] as number;
    while (odd < facts.odd && (facts.oddRows[odd] as number) < index) {
      odd += 1;
    }
    if (odd < facts.odd && facts.oddRows[odd] === index) {
      takeCounts(odd);
    } else {
      takeOrdinary();
    }
    builder.append(row);
  }
}

/** Fills the row's counts with those of an odd row. */
function takeCounts(odd: number): void {
  oddCounts.forEach((name, index) => {
    row[name] = facts.oddCounts[odd * oddCounts.length + index] as number;
  });
}

/** Fills the row's counts with what is the rule. */
function takeOrdinary(): void {
  row.expected = row.count;
  row.surplus = row.estimated = row.substituted = row.calculated = row.notBillable = 0;
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
