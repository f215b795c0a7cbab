import { decimalsMax, integerMax, missingCode } from '@meterflow/readings';
import type { Attributes } from './attributes.ts';
import { ByteReader } from './byte-reader.ts';
import { CorruptSegmentError } from './corrupt-segment-error.ts';
import type { GrowingRuns } from './growing-runs.ts';
import type { Label } from './label-table.ts';
import { dayMs, segmentFormat, valueWidths } from './segment-format.ts';
import type { SegmentDraft } from './segment-draft.ts';

/** Bytes of a span at the least: four numbers of one byte. */
const spanBytesMin = 4;
const labelBytesMin = 5;
const versionBytesMin = 5;
const runBytesMin = 2;

/** Reads blobs back into drafts. Throws {@link CorruptSegmentError} for anything that no encoder wrote. */
export class SegmentDecoder {
  readonly #attributes: Attributes;
  readonly #reader = new ByteReader();
  readonly #label: Label = { quality: 0, unit: 0, code: 0, method: 0, reason: 0 };
  readonly #version = {
    declared: new Float64Array(1),
    acceptedAtMs: new Float64Array(1),
    activation: new Float64Array(1),
    ticket: new Float64Array(1),
    computed: new Uint8Array(1),
  };
  #wide = new Float64Array(128);
  /** The last tail with one label and one version: days of a series mostly end in the same bytes. */
  #tail: Uint8Array = new Uint8Array(0);
  #tailLabel = 0;
  #tailVersion = -1;

  constructor(attributes: Attributes) {
    this.#attributes = attributes;
  }

  /** A version row that later calls may refer to without appending it anew; -1 for none. */
  get versionKept(): number {
    return this.#tailVersion;
  }

  /** To be called when the tables are emptied. */
  forget(): void {
    this.#tail = new Uint8Array(0);
    this.#tailLabel = 0;
    this.#tailVersion = -1;
  }

  /** True after the last set. */
  get finished(): boolean {
    return this.#reader.left === 0;
  }

  /** Starts on a blob. */
  open(blob: Uint8Array): void {
    this.#reader.open(blob);
    const format = this.#reader.byte();
    if (format !== segmentFormat) {
      throw new CorruptSegmentError(`a segment of format ${format}; this build reads ${segmentFormat}`);
    }
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

  #attributeTail(draft: SegmentDraft): void {
    const reader = this.#reader;
    const start = reader.position;
    if (this.#tail.length > 0 && startsWith(reader.bytes, start, this.#tail)) {
      reader.position += this.#tail.length;
      draft.labels.extend(this.#tailLabel, draft.count);
      draft.versions.extend(this.#tailVersion, draft.count);
      return;
    }
    this.#runs(draft.labels, this.#labels(), draft.count);
    this.#runs(draft.versions, this.#versions(), draft.count);
    if (draft.labels.length === 1 && draft.versions.length === 1) {
      this.#tail = reader.bytes.slice(start, reader.position);
      this.#tailLabel = draft.labels.values[0] as number;
      this.#tailVersion = draft.versions.values[0] as number;
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
      this.#label.quality = reader.countTo(missingCode);
      this.#label.unit = text();
      this.#label.code = text();
      this.#label.method = text();
      this.#label.reason = text();
      labels.push(table.intern(this.#label));
    }
    return labels;
  }

  #versions(): number[] {
    const reader = this.#reader;
    const version = this.#version;
    const rows: number[] = [];
    const count = reader.countTo(Math.floor(reader.left / versionBytesMin));
    for (let row = 0; row < count; row++) {
      version.computed[0] = reader.countTo(1);
      version.declared[0] = reader.varint();
      version.acceptedAtMs[0] = reader.varint();
      version.activation[0] = reader.varint();
      version.ticket[0] = reader.varint();
      rows.push(this.#attributes.versions.append(version, 0));
    }
    return rows;
  }

  #runs(runs: GrowingRuns, rows: readonly number[], count: number): void {
    const reader = this.#reader;
    const runCount = reader.varint();
    if (rows.length === 0 || runCount === 0 || (runCount > 1 && runCount > reader.left / runBytesMin)) {
      throw new CorruptSegmentError('runs that do not fit the readings');
    }
    if (runCount === 1) {
      runs.extend(rows[0] as number, count);
      return;
    }
    let end = 0;
    for (let run = 0; run < runCount; run++) {
      const readings = reader.countTo(count - end);
      const row = rows[reader.countTo(rows.length - 1)] as number;
      end += readings;
      runs.extend(row, end);
    }
    if (end !== count) {
      throw new CorruptSegmentError('runs that do not fit the readings');
    }
  }
}

function startsWith(bytes: Uint8Array, at: number, start: Uint8Array): boolean {
  for (let index = 0; index < start.length; index++) {
    if (bytes[at + index] !== start[index]) {
      return false;
    }
  }
  return true;
}
