import { canonicalDecimals, integerMax, powersOfTen } from './decimal.ts';
import type { SeriesName } from './identifiers.ts';
import { readingsPerBatchMax, type BatchHeader, type ReadingBatch } from './reading-batch.ts';
import { RunsBuilder } from './runs.ts';
import { SpansBuilder } from './spans.ts';
import { versionsOf, type Version } from './version.ts';

/**
 * One reading on its way into a batch. Parsers keep one and fill it anew for each line, so that no reading costs an
 * object. `series`, `unit`, `code`, `method` and `reason` are indexes that the builder gave out.
 */
export class ReadingRow {
  series = 0;
  startMs = 0;
  /** 0 for a register reading. */
  lengthMs = 0;
  integer = 0;
  decimals = 0;
  quality = 0;
  unit = 0;
  code = 0;
  method = 0;
  reason = 0;
  version = 0;
  line = 0;
}

/** Collects readings into a {@link ReadingBatch}. Made once and used again after each `finish`. */
export class BatchBuilder {
  readonly readingsMax: number;
  #count = 0;
  readonly #integers: Float64Array;
  readonly #decimals: Uint8Array;
  #decimalsMax = 0;
  #absoluteMax = 0;
  readonly #spans = new SpansBuilder();
  readonly #quality = new RunsBuilder();
  readonly #unit = new RunsBuilder();
  readonly #code = new RunsBuilder();
  readonly #method = new RunsBuilder();
  readonly #reason = new RunsBuilder();
  readonly #version = new RunsBuilder();
  readonly #lineDeltas = new RunsBuilder();
  #firstLine = 0;
  #lastLine = 0;
  #series: SeriesName[] = [];
  #seriesIndex = new Map<string, number>();
  #texts: string[] = [''];
  #versions: Version[] = [];

  constructor(readingsMax: number = readingsPerBatchMax) {
    this.readingsMax = readingsMax;
    this.#integers = new Float64Array(readingsMax);
    this.#decimals = new Uint8Array(readingsMax);
  }

  get count(): number {
    return this.#count;
  }

  /** The index of a series in this batch. Valid until `finish`. */
  series(meter: string, channel: string): number {
    const name = `${meter}\n${channel}`;
    let index = this.#seriesIndex.get(name);
    if (index === undefined) {
      index = this.#series.length;
      this.#series.push({ meter, channel });
      this.#seriesIndex.set(name, index);
    }
    return index;
  }

  /** The index of a text (unit, code, method, reason) in this batch. Valid until `finish`. */
  text(text: string): number {
    const index = this.#texts.indexOf(text);
    return index >= 0 ? index : this.#texts.push(text) - 1;
  }

  /** The index of a version in this batch. Valid until `finish`. Only the last one is compared with. */
  version(version: Version): number {
    const last = this.#versions.length - 1;
    const known = this.#versions[last];
    if (
      known?.declared === version.declared &&
      known.acceptedAtMs === version.acceptedAtMs &&
      known.activation === version.activation &&
      known.ticket === version.ticket &&
      known.computed === version.computed
    ) {
      return last;
    }
    return this.#versions.push(version) - 1;
  }

  /**
   * True when the batch has room for a value with this integer and these decimals. False when it is full, or when the
   * decimals that all its values would then share take one of them to 2^53: finish the batch first.
   */
  takes(integer: number, decimals: number): boolean {
    const shared = Math.max(this.#decimalsMax, decimals);
    const absolute = Math.max(this.#absoluteMax, Math.abs(integer) / (powersOfTen[decimals] as number));
    return this.#count < this.readingsMax && absolute * (powersOfTen[shared] as number) < integerMax;
  }

  /** Appends a reading for which {@link takes} was true. */
  append(row: ReadingRow): void {
    const index = this.#count;
    this.#integers[index] = row.integer;
    this.#decimals[index] = row.decimals;
    this.#decimalsMax = Math.max(this.#decimalsMax, row.decimals);
    this.#absoluteMax = Math.max(this.#absoluteMax, Math.abs(row.integer) / (powersOfTen[row.decimals] as number));
    this.#spans.push(row.series, row.startMs, row.lengthMs);
    this.#quality.push(row.quality);
    this.#unit.push(row.unit);
    this.#code.push(row.code);
    this.#method.push(row.method);
    this.#reason.push(row.reason);
    this.#version.push(row.version);
    if (index === 0) {
      this.#firstLine = row.line;
      this.#lastLine = row.line;
    }
    this.#lineDeltas.push(row.line - this.#lastLine);
    this.#lastLine = row.line;
    this.#count = index + 1;
  }

  /** Returns what was collected and starts over. Indexes given out before are void. */
  finish(header: BatchHeader): ReadingBatch {
    const { values, decimals } = this.#canonicalValues();
    const batch: ReadingBatch = {
      ...header,
      series: this.#series,
      firstLine: this.#firstLine,
      lineDeltas: this.#lineDeltas.finish(),
      columns: {
        spans: this.#spans.finish(),
        decimals,
        values,
        quality: this.#quality.finish(),
        version: this.#version.finish(),
        versions: versionsOf(this.#versions),
        unit: this.#unit.finish(),
        code: this.#code.finish(),
        method: this.#method.finish(),
        reason: this.#reason.finish(),
        texts: this.#texts,
      },
    };
    this.#reset();
    return batch;
  }

  #canonicalValues(): { values: Float64Array; decimals: number } {
    const values = new Float64Array(this.#count);
    const shared = this.#decimalsMax;
    for (let index = 0; index < values.length; index++) {
      values[index] =
        (this.#integers[index] as number) * (powersOfTen[shared - (this.#decimals[index] as number)] as number);
    }
    const decimals = canonicalDecimals(values, shared);
    if (decimals < shared) {
      const divisor = powersOfTen[shared - decimals] as number;
      for (let index = 0; index < values.length; index++) {
        values[index] = (values[index] as number) / divisor;
      }
    }
    return { values, decimals };
  }

  #reset(): void {
    this.#count = 0;
    this.#decimalsMax = 0;
    this.#absoluteMax = 0;
    this.#spans.reset();
    for (const runs of [this.#quality, this.#unit, this.#code, this.#method, this.#reason, this.#version]) {
      runs.reset();
    }
    this.#lineDeltas.reset();
    this.#series = [];
    this.#seriesIndex = new Map();
    this.#texts = [''];
    this.#versions = [];
  }
}
