/**
 * Spans, in columns: each is `count` readings of one series, `stepMs` apart. A regular series is one span; a reading
 * that does not follow the one before it starts the next. Live pushes are spans of one.
 *
 * `lengthMs` is the length of every reading's interval; 0 for register readings. `series` points into the batch's list.
 */
export interface Spans {
  readonly series: Uint32Array;
  readonly startMs: Float64Array;
  readonly stepMs: Uint32Array;
  readonly lengthMs: Uint32Array;
  readonly count: Uint32Array;
}

/** Collects spans reading by reading. */
export class SpansBuilder {
  #series = new Uint32Array(16);
  #startMs = new Float64Array(16);
  #stepMs = new Uint32Array(16);
  #lengthMs = new Uint32Array(16);
  #count = new Uint32Array(16);
  #length = 0;
  // The last span, open: its count is written when the next one starts. `#nextMs` is NaN where nothing can follow.
  #lastSeries = -1;
  #lastLengthMs = 0;
  #lastStepMs = 0;
  #lastCount = 0;
  #nextMs = NaN;

  get length(): number {
    return this.#length;
  }

  /** Appends one reading: to the last span where it follows it, else as a span of its own. */
  push(series: number, startMs: number, lengthMs: number): void {
    if (series === this.#lastSeries && lengthMs === this.#lastLengthMs) {
      if (startMs === this.#nextMs) {
        this.#lastCount += 1;
        this.#nextMs = startMs + this.#lastStepMs;
        return;
      }
      if (lengthMs === 0 && this.#lastCount === 1 && this.#stepped(startMs)) {
        return;
      }
    }
    this.#open(series, startMs, lengthMs);
  }

  /** Appends readings of intervals that follow each other without a hole, as {@link push} would one by one. */
  pushRun(series: number, run: { readonly startMs: number; readonly lengthMs: number; readonly count: number }): void {
    const { startMs, lengthMs, count } = run;
    this.push(series, startMs, lengthMs);
    this.#lastCount += count - 1;
    this.#nextMs += (count - 1) * lengthMs;
  }

  /** Appends a whole span. */
  append(series: number, span: { startMs: number; stepMs: number; lengthMs: number; count: number }): void {
    const { startMs, stepMs, lengthMs, count } = span;
    this.#open(series, startMs, lengthMs);
    this.#stepMs[this.#length - 1] = stepMs;
    this.#lastStepMs = stepMs;
    this.#lastCount = count;
    this.#nextMs = stepMs > 0 ? startMs + stepMs * count : NaN;
  }

  finish(): Spans {
    this.#closeLast();
    return {
      series: this.#series.slice(0, this.#length),
      startMs: this.#startMs.slice(0, this.#length),
      stepMs: this.#stepMs.slice(0, this.#length),
      lengthMs: this.#lengthMs.slice(0, this.#length),
      count: this.#count.slice(0, this.#length),
    };
  }

  reset(): void {
    this.#length = 0;
    this.#lastSeries = -1;
    this.#lastCount = 0;
    this.#nextMs = NaN;
  }

  /** Starts a span of one reading, as long as its step. */
  #open(series: number, startMs: number, lengthMs: number): void {
    this.#closeLast();
    if (this.#length === this.#series.length) {
      this.#grow();
    }
    const index = this.#length++;
    this.#series[index] = series;
    this.#startMs[index] = startMs;
    this.#stepMs[index] = lengthMs;
    this.#lengthMs[index] = lengthMs;
    this.#lastSeries = series;
    this.#lastLengthMs = lengthMs;
    this.#lastStepMs = lengthMs;
    this.#lastCount = 1;
    this.#nextMs = lengthMs > 0 ? startMs + lengthMs : NaN;
  }

  #closeLast(): void {
    if (this.#length > 0) {
      this.#count[this.#length - 1] = this.#lastCount;
    }
  }

  /** A register's second reading fixes the step, since its length does not. */
  #stepped(startMs: number): boolean {
    const span = this.#length - 1;
    const stepMs = startMs - (this.#startMs[span] as number);
    if (stepMs <= 0 || stepMs >= 2 ** 32) {
      return false;
    }
    this.#stepMs[span] = stepMs;
    this.#lastStepMs = stepMs;
    this.#lastCount = 2;
    this.#nextMs = startMs + stepMs;
    return true;
  }

  #grow(): void {
    const longer = <T extends Uint32Array | Float64Array>(column: T, empty: T): T => {
      empty.set(column);
      return empty;
    };
    const length = this.#series.length * 4;
    this.#series = longer(this.#series, new Uint32Array(length));
    this.#startMs = longer(this.#startMs, new Float64Array(length));
    this.#stepMs = longer(this.#stepMs, new Uint32Array(length));
    this.#lengthMs = longer(this.#lengthMs, new Uint32Array(length));
    this.#count = longer(this.#count, new Uint32Array(length));
  }
}
