import { RunsCursor, type ReadingColumns } from '@meterflow/readings';

interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/**
 * Walks columns by runs of readings which start in one of some stretches, none of which overlap, and have one length, unit
 * and quality. Readings that start in none of them are left out. `next` first, then the properties.
 */
export class StretchRuns<Stretch extends Span> {
  /** The run is the readings [from, to) of the columns. */
  from = 0;
  to = 0;
  /** When its first reading starts, and how far apart its readings do. */
  startMs = 0;
  stepMs = 0;
  lengthMs = 0;
  /** Index into the columns' texts. */
  unit = 0;
  quality = 0;
  stretch!: Stretch;
  readonly #columns: ReadingColumns;
  readonly #stretches: readonly Stretch[];
  readonly #qualities: RunsCursor;
  readonly #units: RunsCursor;
  #span = -1;
  /** Readings of the span not yet walked, and when the first of them starts. */
  #left = 0;
  #nextMs = 0;

  constructor(columns: ReadingColumns, stretches: readonly Stretch[]) {
    this.#columns = columns;
    this.#stretches = stretches;
    this.#qualities = new RunsCursor(columns.quality);
    this.#units = new RunsCursor(columns.unit);
  }

  /** Moves to the next run; false after the last. */
  next(): boolean {
    while (this.#left > 0 || this.#nextSpan()) {
      const at = this.#nextMs;
      const stretch = this.#stretches.find(({ fromMs, toMs }) => at >= fromMs && at < toMs);
      if (stretch === undefined) {
        const laterMs = Math.min(...this.#stretches.map(({ fromMs }) => (fromMs > at ? fromMs : Infinity)));
        this.#advance(this.#before(laterMs));
        continue;
      }
      this.from = this.to;
      this.startMs = at;
      this.stretch = stretch;
      this.quality = this.#qualities.at(this.to);
      this.unit = this.#units.at(this.to);
      const same = Math.min(this.#qualities.end, this.#units.end) - this.to;
      this.#advance(Math.min(same, this.#before(stretch.toMs)));
      return true;
    }
    return false;
  }

  #nextSpan(): boolean {
    const { spans } = this.#columns;
    do {
      this.#span += 1;
    } while (spans.count[this.#span] === 0);
    if (this.#span >= spans.count.length) {
      return false;
    }
    this.lengthMs = spans.lengthMs[this.#span] as number;
    this.stepMs = spans.stepMs[this.#span] as number;
    this.#nextMs = spans.startMs[this.#span] as number;
    this.#left = spans.count[this.#span] as number;
    return true;
  }

  /** How many of the span's readings start before an instant; the next one does. */
  #before(instantMs: number): number {
    return this.stepMs === 0 ? this.#left : Math.min(this.#left, Math.ceil((instantMs - this.#nextMs) / this.stepMs));
  }

  #advance(count: number): void {
    this.to += count;
    this.#left -= count;
    this.#nextMs += count * this.stepMs;
  }
}
