import { qualities } from '@meterflow/readings';
import { slotCount, type Contribution } from '@meterflow/aggregates';
import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { ColumnWidths } from './column-widths.ts';
import { CorruptSegmentError } from './corrupt-segment-error.ts';
import { Slab } from './slab.ts';
import { openFormat } from './stored-format.ts';

/**
 * A contribution as bytes: format, start, length and slot length of its day, unit, decimals, divisor; sums' high and low
 * parts, each column as its width (the number of bytes of a value: 0, 1, 2, 4 or 8) and its values; a byte with a bit for
 * each quality that occurs, and for each of those its counts, as runs: how often, what. Numbers without a width are
 * varints. Equal contributions have equal bytes.
 */
const contributionFormat = 1;
/** A minute for a slot, on a day of 48 hours. */
const slotsMax = 2_880;

const writer = new ByteWriter();
const slab = new Slab();
const wide = new ColumnWidths(slotsMax);

/** Bytes that nobody else writes to. */
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
  return slab.keep(writer.bytes.subarray(0, writer.position));
}

function writeColumn(column: Float64Array): void {
  let greatest = 0;
  let least = 0;
  for (const value of column) {
    least = Math.min(least, value);
    // As wide as -128 to 127 and so on: the least of a width is one further from 0 than its greatest.
    greatest = Math.max(greatest, value < 0 ? -1 - value : value);
  }
  const isZero = greatest === 0 && least === 0;
  const width = isZero ? 0 : greatest < 0x80 ? 1 : greatest < 0x8000 ? 2 : greatest < 0x8000_0000 ? 4 : 8;
  writer.byte(width);
  writer.reserve(column.length * width);
  const { bytes } = writer;
  const at = writer.position;
  writer.position = at + column.length * width;
  if (width > 0) {
    bytes.set(wide.put(column, width), at);
  }
}

function writeCounts(counts: Uint32Array, slots: number): void {
  let bits = 0;
  for (let quality = 0; quality < qualities.length; quality++) {
    bits |= occurs(counts, quality * slots, (quality + 1) * slots) ? 1 << quality : 0;
  }
  writer.byte(bits);
  for (let quality = 0; quality < qualities.length; quality++) {
    if ((bits & (1 << quality)) !== 0) {
      writeRuns(counts, quality * slots, (quality + 1) * slots);
    }
  }
}

function occurs(counts: Uint32Array, from: number, to: number): boolean {
  let index = from;
  while (index < to && counts[index] === 0) {
    index += 1;
  }
  return index < to;
}

function writeRuns(counts: Uint32Array, from: number, to: number): void {
  let start = from;
  for (let index = from + 1; index <= to; index++) {
    if (index === to || counts[index] !== counts[start]) {
      writer.varint(index - start);
      writer.varint(counts[start] as number);
      start = index;
    }
  }
}

/** Reads contributions, one after the other, into the same columns. */
export class ContributionDecoder {
  readonly #reader = new ByteReader();
  #sumHigh = new Float64Array(0);
  #sumLow = new Float64Array(0);
  #counts = new Uint32Array(0);
  #unit = '';
  /** The unit as it is written: most have that of the one before. */
  #unitBytes = new Uint8Array(0);

  /** Good until the next one is read. Throws CorruptSegmentError for what no encoder wrote. */
  read(bytes: Uint8Array): Contribution {
    const reader = this.#reader;
    reader.open(bytes);
    openFormat(reader, contributionFormat, 'contribution');
    const startMs = reader.varint();
    const endMs = startMs + reader.varint();
    const slotMs = reader.varint();
    const unit = this.#readUnit();
    const decimals = reader.byte();
    const divisor = reader.varint();
    const slots = slotMs === 0 ? Infinity : slotCount({ startMs, endMs, slotMs });
    if (slots > slotsMax || divisor === 0) {
      throw new CorruptSegmentError('a contribution of a day that there is not');
    }
    this.#reserve(slots);
    const [sumHigh, sumLow, counts] = [this.#sumHigh, this.#sumLow, this.#counts];
    this.#readColumn(sumHigh);
    this.#readColumn(sumLow);
    this.#readCounts(slots);
    if (reader.left > 0) {
      throw new CorruptSegmentError('bytes beyond the end of a contribution');
    }
    return { startMs, endMs, slotMs, unit, decimals, divisor, sumHigh, sumLow, counts };
  }

  #readUnit(): string {
    const reader = this.#reader;
    if (!reader.skipEqual(this.#unitBytes)) {
      const start = reader.position;
      this.#unit = reader.text();
      this.#unitBytes = reader.bytes.slice(start, reader.position);
    }
    return this.#unit;
  }

  #reserve(slots: number): void {
    if (this.#sumHigh.length !== slots) {
      this.#sumHigh = new Float64Array(slots);
      this.#sumLow = new Float64Array(slots);
      this.#counts = new Uint32Array(slots * qualities.length);
    }
  }

  #readColumn(column: Float64Array): void {
    const width = this.#reader.byte();
    if (![0, 1, 2, 4, 8].includes(width)) {
      throw new CorruptSegmentError('a column of an unknown width');
    }
    const start = this.#reader.skip(column.length * width);
    const { bytes } = this.#reader;
    if (width === 0) {
      column.fill(0);
      return;
    }
    wide.take(bytes.subarray(start, start + column.length * width), width, column);
  }

  #readCounts(slots: number): void {
    const reader = this.#reader;
    const counts = this.#counts;
    counts.fill(0);
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
  }
}
