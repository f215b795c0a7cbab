import { canonicalDecimals, powersOfTen } from '@meterflow/readings';
import type { Attributes } from './attributes.ts';
import { ByteWriter } from './byte-writer.ts';
import { GrowingRuns } from './growing-runs.ts';
import { anyRuns, oneRun, orderedRuns, segmentFormat, singleRuns, valueWidths } from './segment-format.ts';
import type { SegmentDraft } from './segment-draft.ts';

/**
 * Writes drafts of one series-day as one blob (see segment-format.ts). The same readings give the same bytes, whatever
 * batches they came in: tables are numbered by first use, decimals and spans are canonical.
 */
export class SegmentEncoder {
  readonly #attributes: Attributes;
  readonly #writer = new ByteWriter();
  readonly #labelBytes = new ByteWriter();
  readonly #versionBytes = new ByteWriter();
  /** The one label and the one version that the bytes are of; -1 where they are of several. */
  #label = -1;
  #version = -1;
  #scaled = new Float64Array(128);
  readonly #versionRuns = new GrowingRuns();

  constructor(attributes: Attributes) {
    this.#attributes = attributes;
  }

  /** To be called when version rows from `length` on are void: other versions will take their numbers. */
  forgetVersions(length: number): void {
    if (this.#version >= length) {
      this.#version = -1;
    }
  }

  begin(): void {
    this.#writer.reset();
    this.#writer.byte(segmentFormat);
  }

  /** Appends a set. Its readings are sorted by start, then length, and lie within the day. */
  append(draft: SegmentDraft, dayStartMs: number): void {
    const writer = this.#writer;
    writer.varint(draft.count);
    const widthAt = writer.position;
    writer.byte(0);
    this.#spans(draft, dayStartMs);
    writer.bytes[widthAt] = this.#values(draft);
    this.#attributeTail(draft);
  }

  /** The blob. A view that the next `begin` makes void. */
  finish(): Uint8Array {
    return this.#writer.bytes.subarray(0, this.#writer.position);
  }

  #spans(draft: SegmentDraft, dayStartMs: number): void {
    const writer = this.#writer;
    writer.varint(draft.spanCount);
    let fromMs = dayStartMs;
    for (let span = 0; span < draft.spanCount; span++) {
      const startMs = draft.spanStartMs[span] as number;
      const lengthMs = draft.spanLengthMs[span] as number;
      const stepMs = draft.spanStepMs[span] as number;
      writer.varint(startMs - fromMs);
      writer.varint(lengthMs);
      writer.varint(stepMs === lengthMs ? 0 : stepMs);
      writer.varint(draft.spanReadings[span] as number);
      fromMs = startMs;
    }
  }

  /** Writes the values and returns the byte that tells their width and decimals. */
  #values({ values, first, count, decimals }: SegmentDraft): number {
    const end = first + count;
    const fewest = decimals === 0 ? 0 : canonicalDecimals(values, decimals, first, end);
    if (fewest < decimals) {
      return (this.#write(this.#scale({ values, first, count }, decimals - fewest), 0, count) << 4) | fewest;
    }
    return (this.#write(values, first, end) << 4) | decimals;
  }

  /** A copy of the values with fewer decimals. */
  #scale({ values, first, count }: Pick<SegmentDraft, 'values' | 'first' | 'count'>, spare: number): Float64Array {
    const scaled = this.#room(count);
    const divisor = powersOfTen[spare] as number;
    for (let index = 0; index < count; index++) {
      scaled[index] = (values[first + index] as number) / divisor;
    }
    return scaled;
  }

  #room(count: number): Float64Array {
    if (count > this.#scaled.length) {
      this.#scaled = new Float64Array(count * 2);
    }
    return this.#scaled;
  }

  /** Writes the values [from, to) in the fewest bytes that hold each, and returns the number of that width. */
  #write(values: Float64Array, from: number, to: number): number {
    let least = 0;
    let greatest = 0;
    for (let index = from; index < to; index++) {
      const value = values[index] as number;
      least = value < least ? value : least;
      greatest = value > greatest ? value : greatest;
    }
    const width = widthOf(least, greatest);
    const bytesEach = valueWidths[width] as number;
    const writer = this.#writer;
    writer.reserve((to - from) * bytesEach);
    const at = writer.position;
    writer.position = at + (to - from) * bytesEach;
    if (bytesEach === 8) {
      this.#writeWide(values, from, to);
    } else {
      writeNarrow(writer.bytes, at, { values, from, to, bytesEach });
    }
    return width;
  }

  #writeWide(values: Float64Array, from: number, to: number): void {
    const copy = this.#room(to - from);
    for (let index = from; index < to; index++) {
      // Adding 0 turns -0 into 0.
      copy[index - from] = (values[index] as number) + 0;
    }
    const bytes = new Uint8Array(copy.buffer, copy.byteOffset, (to - from) * 8);
    this.#writer.bytes.set(bytes, this.#writer.position - bytes.length);
  }

  /** Labels and versions. A set with one of them has the same bytes here as the one before it, mostly. */
  #attributeTail({ labels, versions, count }: SegmentDraft): void {
    const label = labels.length === 1 ? (labels.values[0] as number) : -1;
    if (label < 0 || label !== this.#label) {
      this.#labelBytes.reset();
      this.#labels(labels);
      this.#label = label;
    }
    const version = versions.length === 1 ? (versions.values[0] as number) : -1;
    if (version < 0 || version !== this.#version) {
      this.#versionBytes.reset();
      this.#versions(versions, count);
      this.#version = version;
    }
    this.#writer.copy(this.#labelBytes.bytes.subarray(0, this.#labelBytes.position));
    this.#writer.copy(this.#versionBytes.bytes.subarray(0, this.#versionBytes.position));
  }

  #labels(runs: GrowingRuns): void {
    const tail = this.#labelBytes;
    const { labels } = this.#attributes;
    const used = numbered(runs);
    const texts = new Map<number, number>([[0, 0]]);
    const local = (text: number): number => {
      const known = texts.get(text);
      if (known !== undefined) {
        return known;
      }
      texts.set(text, texts.size);
      return texts.size - 1;
    };
    const rows = [...used.keys()].map((label) => {
      const { quality, unit, code, method, reason } = labels.at(label);
      return [quality, local(unit), local(code), local(method), local(reason)];
    });
    tail.varint(texts.size - 1);
    for (const text of texts.keys()) {
      if (text !== 0) {
        tail.text(labels.texts[text] as string);
      }
    }
    tail.varint(rows.length);
    for (const field of rows.flat()) {
      tail.varint(field);
    }
    writeRuns(tail, runs, used);
  }

  #versions(runs: GrowingRuns, count: number): void {
    const bytes = this.#versionBytes;
    const { versions } = this.#attributes;
    if (versions.ascend(runs)) {
      bytes.varint(runs.length);
      let before = -1;
      for (let run = 0; run < runs.length; run++) {
        before = this.#versionRow(runs.values[run] as number, before);
      }
      // The order of live readings: each came later than the one before it, mostly one by one.
      writeLengths(bytes, runs, count);
      return;
    }
    const canonical = this.#canonicalVersions(runs);
    const used = numbered(canonical);
    bytes.varint(used.size);
    let before = -1;
    for (const row of used.keys()) {
      before = this.#versionRow(row, before);
    }
    writeRuns(bytes, canonical, used);
  }

  /** Writes a version as its differences to the one before it, and returns it. Their signs are bits of the first byte. */
  #versionRow(row: number, before: number): number {
    const bytes = this.#versionBytes;
    const { versions } = this.#attributes;
    const declared = difference(versions.declared, row, before);
    const acceptedAtMs = difference(versions.acceptedAtMs, row, before);
    const activation = difference(versions.activation, row, before);
    const ticket = difference(versions.ticket, row, before);
    const signs =
      (declared < 0 ? 2 : 0) | (acceptedAtMs < 0 ? 4 : 0) | (activation < 0 ? 8 : 0) | (ticket < 0 ? 16 : 0);
    bytes.byte((versions.computed[row] as number) | signs);
    bytes.varint(Math.abs(declared));
    bytes.varint(Math.abs(acceptedAtMs));
    bytes.varint(Math.abs(activation));
    bytes.varint(Math.abs(ticket));
    return row;
  }

  /** The table may hold one version in several rows: the first one met stands for all. */
  #canonicalVersions(runs: GrowingRuns): GrowingRuns {
    const { versions } = this.#attributes;
    const canonical = this.#versionRuns;
    const firstRows = new Map<number, number>();
    canonical.reset();
    for (let run = 0; run < runs.length; run++) {
      const row = runs.values[run] as number;
      let hash = versions.hash(row);
      let first = firstRows.get(hash);
      while (first !== undefined && versions.compare(first, row) !== 0) {
        hash += 1;
        first = firstRows.get(hash);
      }
      if (first === undefined) {
        firstRows.set(hash, row);
      }
      canonical.extend(first ?? row, runs.ends[run] as number);
    }
    return canonical;
  }
}

/** Integers of one, two or four bytes, the low ones first. */
function writeNarrow(
  bytes: Uint8Array,
  start: number,
  { values, from, to, bytesEach }: { values: Float64Array; from: number; to: number; bytesEach: number },
): void {
  let at = start;
  if (bytesEach === 1) {
    for (let index = from; index < to; index++) {
      bytes[at++] = values[index] as number;
    }
  } else if (bytesEach === 2) {
    for (let index = from; index < to; index++) {
      const value = values[index] as number;
      bytes[at++] = value;
      bytes[at++] = value >> 8;
    }
  } else {
    for (let index = from; index < to; index++) {
      const value = values[index] as number;
      bytes[at++] = value;
      bytes[at++] = value >> 8;
      bytes[at++] = value >> 16;
      bytes[at++] = value >> 24;
    }
  }
}

function difference(column: Float64Array, row: number, before: number): number {
  return (column[row] as number) - (before < 0 ? 0 : (column[before] as number));
}

/** Each run as its count of readings and the number of its row. */
function writeRuns(bytes: ByteWriter, runs: GrowingRuns, used: ReadonlyMap<number, number>): void {
  if (used.size === runs.length) {
    writeLengths(bytes, runs, runs.ends[runs.length - 1] as number);
    return;
  }
  bytes.varint(anyRuns);
  bytes.varint(runs.length);
  let start = 0;
  for (let run = 0; run < runs.length; run++) {
    const end = runs.ends[run] as number;
    bytes.varint(end - start);
    bytes.varint(used.get(runs.values[run] as number) as number);
    start = end;
  }
}

/** Where run `i` holds row `i` its length is enough; where all are of length 1, nothing is. */
function writeLengths(bytes: ByteWriter, runs: GrowingRuns, count: number): void {
  if (runs.length === 1 || runs.length === count) {
    bytes.varint(runs.length === 1 ? oneRun : singleRuns);
    return;
  }
  bytes.varint(orderedRuns);
  let start = 0;
  for (let run = 0; run < runs.length; run++) {
    const end = runs.ends[run] as number;
    bytes.varint(end - start);
    start = end;
  }
}

/** Numbers the values of a column by first use. */
function numbered(runs: GrowingRuns): Map<number, number> {
  const numbers = new Map<number, number>();
  for (let run = 0; run < runs.length; run++) {
    const value = runs.values[run] as number;
    if (!numbers.has(value)) {
      numbers.set(value, numbers.size);
    }
  }
  return numbers;
}

function widthOf(least: number, greatest: number): number {
  if (least >= -0x80 && greatest <= 0x7f) {
    return 0;
  }
  if (least >= -0x8000 && greatest <= 0x7fff) {
    return 1;
  }
  return least >= -0x8000_0000 && greatest <= 0x7fff_ffff ? 2 : 3;
}
