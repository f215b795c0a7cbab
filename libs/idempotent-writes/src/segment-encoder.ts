import { canonicalDecimals, powersOfTen } from '@meterflow/readings';
import type { Attributes } from './attributes.ts';
import { ByteWriter } from './byte-writer.ts';
import { GrowingRuns } from './growing-runs.ts';
import { segmentFormat, valueWidths } from './segment-format.ts';
import type { SegmentDraft } from './segment-draft.ts';

/**
 * Writes drafts of one series-day as one blob (see segment-format.ts). The same readings give the same bytes, whatever
 * batches they came in: tables are numbered by first use, decimals and spans are canonical.
 */
export class SegmentEncoder {
  readonly #attributes: Attributes;
  readonly #writer = new ByteWriter();
  readonly #tail = new ByteWriter();
  #tailLabel = -1;
  #tailVersion = -1;
  #scaled = new Float64Array(128);
  readonly #versionRuns = new GrowingRuns();

  constructor(attributes: Attributes) {
    this.#attributes = attributes;
  }

  /** To be called when version rows from `length` on are void: other versions will take their numbers. */
  forgetVersions(length: number): void {
    if (this.#tailVersion >= length) {
      this.#tailLabel = -1;
      this.#tailVersion = -1;
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
  #values(draft: SegmentDraft): number {
    const { count } = draft;
    const decimals = this.#canonical(draft);
    const values = this.#scaled;
    let least = 0;
    let greatest = 0;
    for (let index = 0; index < count; index++) {
      const value = values[index] as number;
      least = value < least ? value : least;
      greatest = value > greatest ? value : greatest;
    }
    const width = widthOf(least, greatest);
    this.#write(values, count, valueWidths[width] as number);
    return (width << 4) | decimals;
  }

  /** Copies the values with the fewest decimals that hold them all, which it returns. Adding 0 turns -0 into 0. */
  #canonical(draft: SegmentDraft): number {
    const { count, first, decimals } = draft;
    if (count > this.#scaled.length) {
      this.#scaled = new Float64Array(count * 2);
    }
    const values = draft.values.subarray(first, first + count);
    const fewest = decimals === 0 ? 0 : canonicalDecimals(values, decimals);
    const scaled = this.#scaled;
    if (fewest === decimals) {
      for (let index = 0; index < count; index++) {
        scaled[index] = (values[index] as number) + 0;
      }
    } else {
      const divisor = powersOfTen[decimals - fewest] as number;
      for (let index = 0; index < count; index++) {
        scaled[index] = (values[index] as number) / divisor + 0;
      }
    }
    return fewest;
  }

  #write(values: Float64Array, count: number, width: number): void {
    const writer = this.#writer;
    writer.reserve(count * width);
    const { bytes } = writer;
    let at = writer.position;
    writer.position = at + count * width;
    if (width === 8) {
      bytes.set(new Uint8Array(values.buffer, values.byteOffset, count * 8), at);
      return;
    }
    for (let index = 0; index < count; index++) {
      const value = values[index] as number;
      bytes[at++] = value;
      if (width > 1) {
        bytes[at++] = value >> 8;
      }
      if (width > 2) {
        bytes[at++] = value >> 16;
        bytes[at++] = value >> 24;
      }
    }
  }

  /** Labels and versions. A set with one of each has the same bytes here as the one before it, mostly. */
  #attributeTail(draft: SegmentDraft): void {
    const { labels, versions } = draft;
    const label = labels.values[0] as number;
    const version = versions.values[0] as number;
    const uniform = labels.length === 1 && versions.length === 1;
    if (!uniform || label !== this.#tailLabel || version !== this.#tailVersion) {
      this.#tail.reset();
      this.#labels(labels);
      this.#versions(versions);
      this.#tailLabel = uniform ? label : -1;
      this.#tailVersion = uniform ? version : -1;
    }
    this.#writer.copy(this.#tail.bytes.subarray(0, this.#tail.position));
  }

  #labels(runs: GrowingRuns): void {
    const tail = this.#tail;
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
    this.#runs(runs, used);
  }

  #versions(runs: GrowingRuns): void {
    const tail = this.#tail;
    const { versions } = this.#attributes;
    const used = new Map<number, number>();
    const canonical = runs.length === 1 ? runs : this.#canonicalVersions(runs);
    for (let run = 0; run < canonical.length; run++) {
      const row = canonical.values[run] as number;
      if (!used.has(row)) {
        used.set(row, used.size);
      }
    }
    tail.varint(used.size);
    for (const row of used.keys()) {
      tail.varint(versions.computed[row] as number);
      tail.varint(versions.declared[row] as number);
      tail.varint(versions.acceptedAtMs[row] as number);
      tail.varint(versions.activation[row] as number);
      tail.varint(versions.ticket[row] as number);
    }
    this.#runs(canonical, used);
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

  /** One run says nothing beyond its count of 1: it covers all readings and holds row 0. */
  #runs(runs: GrowingRuns, used: ReadonlyMap<number, number>): void {
    const tail = this.#tail;
    tail.varint(runs.length);
    if (runs.length === 1) {
      return;
    }
    let start = 0;
    for (let run = 0; run < runs.length; run++) {
      const end = runs.ends[run] as number;
      tail.varint(end - start);
      tail.varint(used.get(runs.values[run] as number) as number);
      start = end;
    }
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
