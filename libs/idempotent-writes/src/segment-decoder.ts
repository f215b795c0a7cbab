import { decimalsMax, integerMax, missingCode } from '@meterflow/readings';
import type { Attributes } from './attributes.ts';
import { ByteReader } from './byte-reader.ts';
import { CorruptSegmentError } from './corrupt-segment-error.ts';
import type { GrowingRuns } from './growing-runs.ts';
import type { Label } from './label-table.ts';
import { anyRuns, dayMs, oneRun, orderedRuns, segmentFormat, singleRuns, valueWidths } from './segment-format.ts';
import type { SegmentDraft } from './segment-draft.ts';
import { openFormat } from './stored-format.ts';

/** Bytes of a span at the least: four numbers of one byte. */
const spanBytesMin = 4;
const labelBytesMin = 5;
const versionBytesMin = 5;
const runBytesMin = 2;

/** Reads blobs back into drafts. Throws {@link CorruptSegmentError} for anything that no encoder wrote. */
export class SegmentDecoder {
  readonly #attributes: Attributes;
  readonly #reader = new ByteReader();
  readonly #scratchLabel: Label = { quality: 0, unit: 0, code: 0, method: 0, reason: 0 };
  readonly #version = {
    declared: new Float64Array(1),
    acceptedAtMs: new Float64Array(1),
    activation: new Float64Array(1),
    ticket: new Float64Array(1),
    computed: new Uint8Array(1),
  };
  #wide = new Float64Array(128);
  /** The last labels and the last versions that were one: most days of a series have the same bytes there. */
  #labelBytes: Uint8Array = new Uint8Array(0);
  #label = 0;
  #versionBytes: Uint8Array = new Uint8Array(0);
  #versionRow = -1;

  constructor(attributes: Attributes) {
    this.#attributes = attributes;
  }

  /** A version row that later calls may refer to without appending it anew; -1 for none. */
  get versionKept(): number {
    return this.#versionRow;
  }

  /** To be called when the tables are emptied. */
  forget(): void {
    this.#labelBytes = new Uint8Array(0);
    this.#versionBytes = new Uint8Array(0);
    this.#versionRow = -1;
  }

  /** True after the last set. */
  get finished(): boolean {
    return this.#reader.left === 0;
  }

  /** Starts on a blob. */
  open(blob: Uint8Array): void {
    this.#reader.open(blob);
    openFormat(this.#reader, segmentFormat, 'segment');
  }

  /** Decodes the next set; false after the last. */
  next(draft: SegmentDraft, dayStartMs: number): boolean {
    const reader = this.#reader;
    if (reader.left === 0) {
      return false;
    }
    draft.reset();
    const count = reader.countTo(reader.left);
    const shape = reader.byte();
    const decimals = shape & 0x0f;
    const width = valueWidths[shape >> 4];
    if (count === 0 || width === undefined || decimals > decimalsMax) {
      throw new CorruptSegmentError('a set without readings or with an unknown width or decimals');
    }
    draft.decimals = decimals;
    this.#spans(draft, count, dayStartMs);
    this.#values(draft, count, width);
    this.#attributeTail(draft);
    return true;
  }

  #spans(draft: SegmentDraft, count: number, dayStartMs: number): void {
    const reader = this.#reader;
    const spans = reader.countTo(Math.floor(reader.left / spanBytesMin));
    let fromMs = dayStartMs;
    let lastMs = dayStartMs;
    let placed = 0;
    for (let span = 0; span < spans; span++) {
      const startMs = fromMs + reader.varint();
      const lengthMs = reader.countTo(0xffff_ffff);
      const stepMs = reader.countTo(dayMs) || lengthMs;
      const readings = reader.countTo(count - placed);
      if (readings === 0 || startMs < lastMs) {
        throw new CorruptSegmentError('spans out of order');
      }
      draft.openSpan(startMs, stepMs, lengthMs);
      draft.spanReadings[span] = readings;
      placed += readings;
      fromMs = startMs;
      lastMs = startMs + (readings - 1) * stepMs;
      if (lastMs >= dayStartMs + dayMs) {
        throw new CorruptSegmentError('readings outside the day');
      }
    }
    if (placed !== count) {
      throw new CorruptSegmentError('spans that do not add up to the readings');
    }
  }

  #values(draft: SegmentDraft, count: number, width: number): void {
    const reader = this.#reader;
    const { bytes } = reader;
    let at = reader.skip(count * width);
    draft.reserve(count);
    draft.count = count;
    const { values } = draft;
    switch (width) {
      case 1:
        for (let index = 0; index < count; index++) {
          values[index] = ((bytes[at++] as number) << 24) >> 24;
        }
        return;
      case 2:
        for (let index = 0; index < count; index++, at += 2) {
          values[index] = (((bytes[at] as number) | ((bytes[at + 1] as number) << 8)) << 16) >> 16;
        }
        return;
      case 4:
        for (let index = 0; index < count; index++, at += 4) {
          values[index] =
            (bytes[at] as number) |
            ((bytes[at + 1] as number) << 8) |
            ((bytes[at + 2] as number) << 16) |
            ((bytes[at + 3] as number) << 24);
        }
        return;
      default:
        this.#wideValues(draft, at);
    }
  }

  #wideValues(draft: SegmentDraft, at: number): void {
    const { count, values } = draft;
    if (count > this.#wide.length) {
      this.#wide = new Float64Array(count);
    }
    new Uint8Array(this.#wide.buffer).set(this.#reader.bytes.subarray(at, at + count * 8));
    for (let index = 0; index < count; index++) {
      const value = this.#wide[index] as number;
      if (!Number.isInteger(value) || Math.abs(value) > integerMax) {
        throw new CorruptSegmentError('a value that is no exact integer');
      }
      values[index] = value;
    }
  }

  #attributeTail({ labels, versions, count }: SegmentDraft): void {
    const reader = this.#reader;
    if (reader.skipEqual(this.#labelBytes)) {
      labels.extend(this.#label, count);
    } else {
      const start = reader.position;
      if (this.#runs(labels, this.#labels(), count)) {
        this.#labelBytes = reader.bytes.slice(start, reader.position);
        this.#label = labels.values[0] as number;
      }
    }
    if (reader.skipEqual(this.#versionBytes)) {
      versions.extend(this.#versionRow, count);
      return;
    }
    const start = reader.position;
    if (this.#runs(versions, this.#versions(), count)) {
      this.#versionBytes = reader.bytes.slice(start, reader.position);
      this.#versionRow = versions.values[0] as number;
    }
  }

  #labels(): number[] {
    const reader = this.#reader;
    const table = this.#attributes.labels;
    const texts = [0];
    const textCount = reader.countTo(reader.left);
    for (let text = 0; text < textCount; text++) {
      texts.push(table.text(reader.text()));
    }
    const text = (): number => texts[reader.countTo(texts.length - 1)] as number;
    const labels: number[] = [];
    const labelCount = reader.countTo(Math.floor(reader.left / labelBytesMin));
    for (let label = 0; label < labelCount; label++) {
      this.#scratchLabel.quality = reader.countTo(missingCode);
      this.#scratchLabel.unit = text();
      this.#scratchLabel.code = text();
      this.#scratchLabel.method = text();
      this.#scratchLabel.reason = text();
      labels.push(table.intern(this.#scratchLabel));
    }
    return labels;
  }

  #versions(): number[] {
    const reader = this.#reader;
    const version = this.#version;
    const rows: number[] = [];
    const count = reader.countTo(Math.floor(reader.left / versionBytesMin));
    for (const column of [version.declared, version.acceptedAtMs, version.activation, version.ticket]) {
      column[0] = 0;
    }
    for (let row = 0; row < count; row++) {
      const flags = reader.countTo(0x1f);
      version.computed[0] = flags & 1;
      this.#shift(version.declared, flags & 2);
      this.#shift(version.acceptedAtMs, flags & 4);
      this.#shift(version.activation, flags & 8);
      this.#shift(version.ticket, flags & 16);
      rows.push(this.#attributes.versions.append(version, 0));
    }
    return rows;
  }

  #shift(column: Float64Array, negative: number): void {
    const difference = this.#reader.varint();
    const value = (column[0] as number) + (negative === 0 ? difference : -difference);
    if (value < 0 || value > Number.MAX_SAFE_INTEGER) {
      throw new CorruptSegmentError('a version below 0 or above 2^53');
    }
    column[0] = value;
  }

  /** Returns whether all readings have one row, so that these bytes mean the same whatever the count. */
  #runs(runs: GrowingRuns, rows: readonly number[], count: number): boolean {
    const reader = this.#reader;
    const shape = reader.varint();
    if (rows.length === 0 || rows.length > count || (shape === oneRun && rows.length > 1)) {
      throw new CorruptSegmentError('rows that do not fit the readings');
    }
    switch (shape) {
      case oneRun:
        runs.extend(rows[0] as number, count);
        return true;
      case singleRuns:
      case orderedRuns:
        this.#orderedRuns(runs, rows, { count, lengths: shape === orderedRuns });
        return false;
      case anyRuns:
        this.#anyRuns(runs, rows, count);
        return false;
      default:
        throw new CorruptSegmentError(`runs of the unknown shape ${shape}`);
    }
  }

  #orderedRuns(runs: GrowingRuns, rows: readonly number[], of: { count: number; lengths: boolean }): void {
    let end = 0;
    for (const row of rows) {
      end += of.lengths ? this.#runLength(of.count - end) : 1;
      runs.extend(row, end);
    }
    checkEnd(end, of.count);
  }

  #anyRuns(runs: GrowingRuns, rows: readonly number[], count: number): void {
    const reader = this.#reader;
    const runCount = reader.countTo(Math.floor(reader.left / runBytesMin));
    let end = 0;
    for (let run = 0; run < runCount; run++) {
      end += this.#runLength(count - end);
      runs.extend(rows[reader.countTo(rows.length - 1)] as number, end);
    }
    checkEnd(end, count);
  }

  #runLength(max: number): number {
    const length = this.#reader.countTo(max);
    if (length === 0) {
      throw new CorruptSegmentError('a run without readings');
    }
    return length;
  }
}

function checkEnd(end: number, count: number): void {
  if (end !== count) {
    throw new CorruptSegmentError('runs that do not add up to the readings');
  }
}
