import type { ReadingColumns } from './columns.ts';
import type { ReadingPosition } from './reading-order.ts';
import { RunsCursor } from './runs.ts';

/** Walks columns reading by reading without an object for each. `next` first, then the properties. */
export class ReadingCursor implements ReadingPosition {
  readonly columns: ReadingColumns;
  index = -1;
  span = -1;
  startMs = 0;
  lengthMs = 0;
  series = 0;
  #stepMs = 0;
  #left = 0;
  readonly #quality: RunsCursor;
  readonly #version: RunsCursor;
  readonly #unit: RunsCursor;
  readonly #code: RunsCursor;
  readonly #method: RunsCursor;
  readonly #reason: RunsCursor;

  constructor(columns: ReadingColumns) {
    this.columns = columns;
    this.#quality = new RunsCursor(columns.quality);
    this.#version = new RunsCursor(columns.version);
    this.#unit = new RunsCursor(columns.unit);
    this.#code = new RunsCursor(columns.code);
    this.#method = new RunsCursor(columns.method);
    this.#reason = new RunsCursor(columns.reason);
  }

  /** Moves to the next reading; false after the last. */
  next(): boolean {
    if (this.index + 1 >= this.columns.values.length) {
      return false;
    }
    this.index += 1;
    if (this.#left > 0) {
      this.#left -= 1;
      this.startMs += this.#stepMs;
      return true;
    }
    const { spans } = this.columns;
    do {
      this.span += 1;
    } while (spans.count[this.span] === 0);
    this.series = spans.series[this.span] as number;
    this.startMs = spans.startMs[this.span] as number;
    this.lengthMs = spans.lengthMs[this.span] as number;
    this.#stepMs = spans.stepMs[this.span] as number;
    this.#left = (spans.count[this.span] as number) - 1;
    return true;
  }

  get integer(): number {
    return this.columns.values[this.index] as number;
  }

  get qualityCode(): number {
    return this.#quality.at(this.index);
  }

  get versionIndex(): number {
    return this.#version.at(this.index);
  }

  get unit(): string {
    return this.columns.texts[this.#unit.at(this.index)] as string;
  }

  get code(): string {
    return this.columns.texts[this.#code.at(this.index)] as string;
  }

  get method(): string {
    return this.columns.texts[this.#method.at(this.index)] as string;
  }

  get reason(): string {
    return this.columns.texts[this.#reason.at(this.index)] as string;
  }
}
