import { GrowingRuns } from './growing-runs.ts';

/**
 * A set of readings in work: columns that decoding fills, merging makes and encoding writes. Labels and versions are
 * numbers of the tables in `Attributes`. Used again for each set: no reading costs an object.
 */
export class SegmentDraft {
  count = 0;
  decimals = 0;
  /** Reading `i` has the value `values[first + i]`: the column may be borrowed from a batch. */
  values: Float64Array = new Float64Array(128);
  first = 0;
  spanCount = 0;
  spanStartMs = new Float64Array(8);
  spanStepMs = new Float64Array(8);
  spanLengthMs = new Float64Array(8);
  spanReadings = new Uint32Array(8);
  readonly labels = new GrowingRuns();
  readonly versions = new GrowingRuns();
  #own: Float64Array = this.values;
  #nextMs = 0;

  reset(): void {
    this.values = this.#own;
    this.first = 0;
    this.count = 0;
    this.decimals = 0;
    this.spanCount = 0;
    this.labels.reset();
    this.versions.reset();
  }

  /** Points to `count` values of another column instead of holding its own. */
  borrow(values: Float64Array, first: number, count: number): void {
    this.values = values;
    this.first = first;
    this.count = count;
  }

  /** Makes room for `count` values in all; those there are kept. */
  reserve(count: number): void {
    if (count > this.#own.length) {
      const longer = new Float64Array(Math.max(count, this.#own.length * 2));
      longer.set(this.#own);
      this.#own = longer;
    }
    this.values = this.#own;
  }

  /** Starts a span of one reading, to be grown by {@link place} or by hand. */
  openSpan(startMs: number, stepMs: number, lengthMs: number): void {
    if (this.spanCount === this.spanReadings.length) {
      this.#growSpans();
    }
    const span = this.spanCount++;
    this.spanStartMs[span] = startMs;
    this.spanStepMs[span] = stepMs;
    this.spanLengthMs[span] = lengthMs;
    this.spanReadings[span] = 1;
    this.#nextMs = startMs + stepMs;
  }

  /** Places one more reading: in the last span where it follows it, else in one of its own. Pushing all readings in
   * order gives the same spans whatever they were made of, and so the same bytes. */
  place(startMs: number, lengthMs: number): void {
    const last = this.spanCount - 1;
    if (last < 0 || lengthMs !== this.spanLengthMs[last]) {
      this.openSpan(startMs, lengthMs, lengthMs);
    } else if (startMs === this.#nextMs && (this.spanStepMs[last] as number) > 0) {
      this.spanReadings[last] = (this.spanReadings[last] as number) + 1;
      this.#nextMs += this.spanStepMs[last] as number;
    } else if (lengthMs === 0 && this.spanReadings[last] === 1 && startMs > (this.spanStartMs[last] as number)) {
      // A register's second reading fixes the step, since its length does not.
      this.spanStepMs[last] = startMs - (this.spanStartMs[last] as number);
      this.spanReadings[last] = 2;
      this.#nextMs = startMs + this.spanStepMs[last];
    } else {
      this.openSpan(startMs, lengthMs, lengthMs);
    }
  }

  /** Appends the value of the reading placed last. */
  put(value: number, label: number, version: number): void {
    this.reserve(this.count + 1);
    this.values[this.count] = value;
    this.count += 1;
    this.labels.extend(label, this.count);
    this.versions.extend(version, this.count);
  }

  #growSpans(): void {
    const length = this.spanReadings.length * 4;
    const longer = (column: Float64Array): Float64Array<ArrayBuffer> => {
      const copy = new Float64Array(length);
      copy.set(column);
      return copy;
    };
    this.spanStartMs = longer(this.spanStartMs);
    this.spanStepMs = longer(this.spanStepMs);
    this.spanLengthMs = longer(this.spanLengthMs);
    const readings = new Uint32Array(length);
    readings.set(this.spanReadings);
    this.spanReadings = readings;
  }
}
