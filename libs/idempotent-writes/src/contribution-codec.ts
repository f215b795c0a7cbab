import { qualities } from '@meterflow/readings';
import { slotCount, type Contribution } from '@meterflow/aggregates';
import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { CorruptSegmentError } from './corrupt-segment-error.ts';
import { openFormat } from './stored-format.ts';

/**
 * A contribution as bytes: format, start, length and slot length of its day, unit, decimals, divisor; sums' high and low
 * parts, each column as its width (the number of bytes of a value: 0, 1, 2, 4 or 8) and its values; a byte with a bit for
 * each quality that occurs, and for each of those its counts, as runs: how often, what. Numbers without a width are
 * varints. Equal contributions have equal bytes.
 */
export const contributionFormat = 1;
/** A minute for a slot, on a day of 48 hours. */
const slotsMax = 2_880;

const writer = new ByteWriter();
const reader = new ByteReader();

/** Bytes of its own. */
export function encodeContribution(contribution: Contribution): Uint8Array {
  const { startMs, endMs, slotMs, unit, decimals, divisor, sumHigh, sumLow, counts } = contribution;
  const slots = slotCount(contribution);
  if (slots > slotsMax) {
    throw new RangeError(`a day of ${slots} slots; the most is ${slotsMax}`);
  }
  writer.reset();
  writer.byte(contributionFormat);
  writer.varint(startMs);
  writer.varint(endMs - startMs);
  writer.varint(slotMs);
  writer.text(unit);
  writer.byte(decimals);
  writer.varint(divisor);
  writeColumn(sumHigh);
  writeColumn(sumLow);
  writeCounts(counts, slots);
  return writer.bytes.slice(0, writer.position);
}

/** Throws CorruptSegmentError for what no encoder wrote. */
export function decodeContribution(bytes: Uint8Array): Contribution {
  reader.open(bytes);
  openFormat(reader, contributionFormat, 'contribution');
  const startMs = reader.varint();
  const endMs = startMs + reader.varint();
  const slotMs = reader.varint();
  const unit = reader.text();
  const decimals = reader.byte();
  const divisor = reader.varint();
  const slots = slotMs === 0 ? Infinity : slotCount({ startMs, endMs, slotMs });
  if (slots > slotsMax || divisor === 0) {
    throw new CorruptSegmentError('a contribution of a day that there is not');
  }
  const sumHigh = readColumn(slots);
  const sumLow = readColumn(slots);
  const counts = readCounts(slots);
  if (reader.left > 0) {
    throw new CorruptSegmentError('bytes beyond the end of a contribution');
  }
  return { startMs, endMs, slotMs, unit, decimals, divisor, sumHigh, sumLow, counts };
}

function writeColumn(column: Float64Array): void {
  let greatest = 0;
  for (const value of column) {
    // As wide as -128 to 127 and so on: the least of a width is one further from 0 than its greatest.
    greatest = Math.max(greatest, value < 0 ? -1 - value : value);
  }
  const isZero = greatest === 0 && !column.includes(-1);
  const width = isZero ? 0 : greatest < 0x80 ? 1 : greatest < 0x8000 ? 2 : greatest < 0x8000_0000 ? 4 : 8;
  writer.byte(width);
  writer.reserve(column.length * width);
  const view = new DataView(writer.bytes.buffer, writer.position, column.length * width);
  for (let index = 0; index < column.length && width > 0; index++) {
    put(view, width, { at: index * width, value: column[index] as number });
  }
  writer.position += column.length * width;
}

function put(view: DataView, width: number, { at, value }: { readonly at: number; readonly value: number }): void {
  switch (width) {
    case 1:
      view.setInt8(at, value);
      return;
    case 2:
      view.setInt16(at, value, true);
      return;
    case 4:
      view.setInt32(at, value, true);
      return;
    default:
      view.setFloat64(at, value, true);
  }
}

function readColumn(slots: number): Float64Array {
  const width = reader.byte();
  const column = new Float64Array(slots);
  if (![0, 1, 2, 4, 8].includes(width)) {
    throw new CorruptSegmentError('a column of an unknown width');
  }
  const start = reader.skip(slots * width);
  const { buffer, byteOffset } = reader.bytes;
  const view = new DataView(buffer, byteOffset + start, slots * width);
  for (let index = 0; index < slots && width > 0; index++) {
    column[index] = get(view, width, index * width);
  }
  return column;
}

function get(view: DataView, width: number, at: number): number {
  switch (width) {
    case 1:
      return view.getInt8(at);
    case 2:
      return view.getInt16(at, true);
    case 4:
      return view.getInt32(at, true);
    default:
      return view.getFloat64(at, true);
  }
}

function writeCounts(counts: Uint32Array, slots: number): void {
  const columns = qualities.map((_, quality) => counts.subarray(quality * slots, (quality + 1) * slots));
  writer.byte(
    columns.reduce((bits, column, quality) => (column.some((count) => count > 0) ? bits | (1 << quality) : bits), 0),
  );
  for (const column of columns) {
    if (column.some((count) => count > 0)) {
      writeRuns(column);
    }
  }
}

function writeRuns(column: Uint32Array): void {
  let from = 0;
  for (let index = 1; index <= column.length; index++) {
    if (index === column.length || column[index] !== column[from]) {
      writer.varint(index - from);
      writer.varint(column[from] as number);
      from = index;
    }
  }
}

function readCounts(slots: number): Uint32Array {
  const counts = new Uint32Array(slots * qualities.length);
  const bits = reader.byte();
  if (bits >= 1 << qualities.length) {
    throw new CorruptSegmentError('a quality that there is not');
  }
  for (let quality = 0; quality < qualities.length; quality++) {
    const end = (quality + 1) * slots;
    for (let at = quality * slots; (bits & (1 << quality)) !== 0 && at < end;) {
      const length = reader.countTo(end - at);
      if (length === 0) {
        throw new CorruptSegmentError('a run of nothing');
      }
      counts.fill(reader.countTo(0xffff_ffff), at, at + length);
      at += length;
    }
  }
  return counts;
}
