import { spansPerSeriesMax } from './limits.ts';

/** A span of time without a hole, all of which a source has brought. */
export interface Span {
  fromMs: number;
  toMs: number;
  /** The length of its readings; NaN where they have several. */
  lengthMs: number;
  /** The line of its first reading. */
  line: number;
}

/** What a source has brought of one series so far. */
export class SeriesCoverage {
  /** In order; those that touch by now count as one. */
  readonly #spans: Span[];
  /** The span that grew last, and where the one after it begins. */
  #last: Span;
  #limitMs = Infinity;

  /** Begins with nothing, where the first reading will be put. */
  constructor(first: { readonly startMs: number; readonly lengthMs: number; readonly line: number }) {
    const { startMs, lengthMs, line } = first;
    // Of registers only the instant of the last reading is remembered: there is none yet.
    this.#last = { fromMs: startMs, toMs: lengthMs === 0 ? NaN : startMs, lengthMs, line };
    this.#spans = [this.#last];
  }

  /** The usual case: takes readings of this length, without a hole, that follow the last one; false where they don't. */
  goesOn(fromMs: number, spanMs: number, lengthMs: number): boolean {
    const last = this.#last;
    const follows = fromMs === last.toMs && lengthMs === last.lengthMs && fromMs + spanMs <= this.#limitMs;
    if (follows) {
      last.toMs = fromMs + spanMs;
    }
    return follows;
  }

  /**
   * The next usual case, in as few steps as can be: readings that follow the last one. Takes those in [from, to) up to the
   * first that does not; returns its index.
   */
  follow(startMs: Float64Array, readings: { from: number; readonly to: number; readonly lengthMs: number }): number {
    const { to, lengthMs } = readings;
    const last = this.#last;
    let index = readings.from;
    if (lengthMs !== last.lengthMs || lengthMs === 0) {
      return index;
    }
    const limitMs = this.#limitMs;
    let nextMs = last.toMs;
    while (index < to && startMs[index] === nextMs && nextMs < limitMs) {
      nextMs += lengthMs;
      index += 1;
    }
    last.toMs = nextMs;
    return index;
  }

  /** Takes a reading wherever it stands; false where it came before. */
  place(reading: { readonly startMs: number; readonly lengthMs: number; readonly line: number }): boolean {
    const { startMs, lengthMs, line } = reading;
    if (lengthMs === 0) {
      const isNew = startMs !== this.#last.toMs;
      this.#last.toMs = startMs;
      return isNew;
    }
    const index = this.#spans.findLastIndex(({ fromMs }) => fromMs <= startMs);
    const span = this.#spans[index];
    const next = this.#spans[index + 1];
    if (span !== undefined && startMs < span.toMs) {
      return !(span.lengthMs === lengthMs && (startMs - span.fromMs) % lengthMs === 0);
    }
    if (span?.toMs === startMs) {
      span.toMs += lengthMs;
      span.lengthMs = span.lengthMs === lengthMs ? lengthMs : NaN;
      this.#goOnAt(index);
    } else if (next?.fromMs === startMs + lengthMs && next.lengthMs === lengthMs) {
      next.fromMs = startMs;
      next.line = line;
      this.#goOnAt(index + 1);
    } else {
      this.#spans.splice(index + 1, 0, { fromMs: startMs, toMs: startMs + lengthMs, lengthMs, line });
      this.#goOnAt(index + 1);
    }
    return true;
  }

  /** Forgets the earliest span where they are too many: tells of the gap after it. */
  forgetSurplus(onGap: (before: Span, after: Span) => void): void {
    if (this.#spans.length <= spansPerSeriesMax) {
      return;
    }
    this.#joinTouching();
    if (this.#spans.length > spansPerSeriesMax) {
      const before = this.#spans.shift() as Span;
      const after = this.#spans[0] as Span;
      this.#last = this.#last === before ? after : this.#last;
      onGap(before, after);
    }
    this.#goOnAt(this.#spans.indexOf(this.#last));
  }

  /** Tells of each hole between the spans. */
  gaps(onGap: (before: Span, after: Span) => void): void {
    this.#spans.forEach((after, index) => {
      const before = this.#spans[index - 1];
      if (before !== undefined && before.toMs < after.fromMs) {
        onGap(before, after);
      }
    });
  }

  #goOnAt(index: number): void {
    this.#last = this.#spans[index] as Span;
    this.#limitMs = this.#spans[index + 1]?.fromMs ?? Infinity;
  }

  #joinTouching(): void {
    for (let index = this.#spans.length - 1; index > 0; index--) {
      const [before, after] = [this.#spans[index - 1] as Span, this.#spans[index] as Span];
      if (before.toMs === after.fromMs) {
        before.toMs = after.toMs;
        before.lengthMs = before.lengthMs === after.lengthMs ? before.lengthMs : NaN;
        this.#last = this.#last === after ? before : this.#last;
        this.#spans.splice(index, 1);
      }
    }
  }
}
