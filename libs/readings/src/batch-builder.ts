import { canonicalDecimals, decimalsMax, integerMax, powersOfTen } from './decimal.ts';
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

/** Readings in columns, of which those in [from, to) are meant. */
export interface ReadingStretch {
  readonly startMs: Float64Array;
  readonly integers: Float64Array;
  readonly decimals: Uint8Array;
  readonly from: number;
  readonly to: number;
  /** True where the caller knows that each interval begins where the one before it ends. */
  readonly isRun?: boolean;
}

/** Collects readings into a {@link ReadingBatch}. Made once and used again after each `finish`. */
export class BatchBuilder {
  readonly readingsMax: number;
  #count = 0;
  readonly #integers: Float64Array;
  readonly #decimals: Uint8Array;
  #decimalsShared = 0;
  /** By count of decimals: the greatest integer so far, and the greatest that fits the shared decimals. */
  readonly #greatest = new Float64Array(decimalsMax + 1);
  readonly #fitting = new Float64Array(decimalsMax + 1);
  readonly #spans = new SpansBuilder();
  readonly #tags = new TagsBuilder();
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
    this.#share(0);
  }

  get count(): number {
    return this.#count;
  }

  /** The index of a series in this batch. Valid until `finish`. */
  series(meter: string, channel: string): number {
    const name = `${meter}\n${channel}`;
    let index = this.#seriesIndex.get(name);
    if (index === undefined) {
      index = this.addSeries({ meter, channel });
      this.#seriesIndex.set(name, index);
    }
    return index;
  }

  /**
   * Adds a series that the caller knows is not in this batch yet, for callers with a table of their own: do not mix
   * with {@link series}. Valid until `finish`.
   */
  addSeries(name: SeriesName): number {
    return this.#series.push(name) - 1;
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
   * decimals that all its values would then share take one of them beyond 2^53 - 1: finish the batch first.
   */
  takes(integer: number, decimals: number): boolean {
    if (this.#count >= this.readingsMax) {
      return false;
    }
    return decimals <= this.#decimalsShared
      ? Math.abs(integer) <= (this.#fitting[decimals] as number)
      : Math.abs(integer) <= integerMax && this.#couldShare(decimals);
  }

  /** Appends a reading for which {@link takes} was true. */
  append(row: ReadingRow): void {
    this.#appendValue(row.integer, row.decimals);
    this.#spans.push(row.series, row.startMs, row.lengthMs);
    this.#count += 1;
    this.#appendShared(row, 1);
  }

  /**
   * Appends readings that share all but start and value with `row`, and stand in consecutive lines from its line on,
   * until the batch {@link takes} no more. Returns how many that were.
   */
  appendStretch(row: ReadingRow, stretch: ReadingStretch): number {
    const { startMs, integers, decimals, from, to, isRun = false } = stretch;
    const { series, lengthMs } = row;
    let index = from;
    while (index < to && this.takes(integers[index] as number, decimals[index] as number)) {
      this.#appendValue(integers[index] as number, decimals[index] as number);
      this.#count += 1;
      index += 1;
    }
    const count = index - from;
    if (isRun && count > 0) {
      this.#spans.pushRun(series, { startMs: startMs[from] as number, lengthMs, count });
    } else {
      for (let each = from; each < index; each++) {
        this.#spans.push(series, startMs[each] as number, lengthMs);
      }
    }
    if (count > 0) {
      this.#appendShared(row, count);
    }
    return count;
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
        versions: versionsOf(this.#versions),
        ...this.#tags.finish(this.#count),
        texts: this.#texts,
      },
    };
    this.#reset();
    return batch;
  }

  #appendValue(integer: number, decimals: number): void {
    this.#integers[this.#count] = integer;
    this.#decimals[this.#count] = decimals;
    if (decimals > this.#decimalsShared) {
      this.#share(decimals);
    }
    const absolute = Math.abs(integer);
    if (absolute > (this.#greatest[decimals] as number)) {
      this.#greatest[decimals] = absolute;
    }
  }

  /** Appends what the last `count` readings share. */
  #appendShared(row: ReadingRow, count: number): void {
    const first = this.#count - count;
    this.#tags.push(row, first);
    if (first === 0) {
      this.#firstLine = row.line;
      this.#lastLine = row.line;
    }
    this.#lineDeltas.push(row.line - this.#lastLine);
    this.#lineDeltas.push(1, count - 1);
    this.#lastLine = row.line + count - 1;
  }

  #couldShare(decimals: number): boolean {
    for (let fewer = 0; fewer < decimals; fewer++) {
      if ((this.#greatest[fewer] as number) * (powersOfTen[decimals - fewer] as number) > integerMax) {
        return false;
      }
    }
    return true;
  }

  #share(decimals: number): void {
    this.#decimalsShared = decimals;
    for (let fewer = 0; fewer <= decimals; fewer++) {
      this.#fitting[fewer] = Math.floor(integerMax / (powersOfTen[decimals - fewer] as number));
    }
  }

  #canonicalValues(): { values: Float64Array; decimals: number } {
    const values = this.#integers.slice(0, this.#count);
    const shared = this.#decimalsShared;
    for (let index = 0; index < values.length; index++) {
      const own = this.#decimals[index] as number;
      if (own !== shared) {
        values[index] = (values[index] as number) * (powersOfTen[shared - own] as number);
      }
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
    this.#greatest.fill(0);
    this.#share(0);
    this.#spans.reset();
    this.#tags.reset();
    this.#lineDeltas.reset();
    this.#series = [];
    if (this.#seriesIndex.size > 0) {
      this.#seriesIndex = new Map();
    }
    this.#texts = [''];
    this.#versions = [];
  }
}

const tagNames = ['quality', 'unit', 'code', 'method', 'reason', 'version'] as const;
type TagName = (typeof tagNames)[number];

/** The columns that rarely change: compared with the reading before, and written to their runs only when one differs. */
class TagsBuilder {
  readonly #runs: Record<TagName, RunsBuilder> = {
    quality: new RunsBuilder(),
    unit: new RunsBuilder(),
    code: new RunsBuilder(),
    method: new RunsBuilder(),
    reason: new RunsBuilder(),
    version: new RunsBuilder(),
  };
  readonly #last = new ReadingRow();
  /** The readings from this one on have the tags of `#last`. */
  #from = 0;

  push(row: ReadingRow, index: number): void {
    const last = this.#last;
    if (
      row.quality !== last.quality ||
      row.unit !== last.unit ||
      row.code !== last.code ||
      row.method !== last.method ||
      row.reason !== last.reason ||
      row.version !== last.version
    ) {
      this.#write(index);
      for (const tag of tagNames) {
        last[tag] = row[tag];
      }
    }
  }

  finish(count: number): Record<TagName, ReturnType<RunsBuilder['finish']>> {
    this.#write(count);
    const { quality, unit, code, method, reason, version } = this.#runs;
    return {
      quality: quality.finish(),
      unit: unit.finish(),
      code: code.finish(),
      method: method.finish(),
      reason: reason.finish(),
      version: version.finish(),
    };
  }

  reset(): void {
    this.#from = 0;
    for (const tag of tagNames) {
      this.#runs[tag].reset();
    }
  }

  #write(to: number): void {
    for (const tag of tagNames) {
      this.#runs[tag].push(this.#last[tag], to - this.#from);
    }
    this.#from = to;
  }
}
