import { missingCode, type ReadingColumns } from '@meterflow/readings';
import type { DayGrid } from './day-grid.ts';

/**
 * Walks columns by runs of interval readings which start in one hour of the grid and have one length, unit and quality.
 * Register readings, readings without value and those that start outside the grid are left out.
 */
export class ReadingRuns {
  /** The run is the readings [from, to) of `columns`. */
  from = 0;
  to = 0;
  /** When its first reading starts, and how far apart its readings do. */
  startMs = 0;
  stepMs = 0;
  lengthMs = 0;
  /** Index into the columns' texts. */
  unit = 0;
  quality = 0;
  readonly columns: ReadingColumns;
  readonly #grid: DayGrid;
  #span = -1;
  /** Readings of the span not yet walked. */
  #left = 0;
  #nextMs = 0;
  #qualityRun = 0;
  #unitRun = 0;

  constructor(columns: ReadingColumns, grid: DayGrid) {
    this.columns = columns;
    this.#grid = grid;
  }

  /** Moves to the next run, which the grid's `day` and `slot` then point to; false after the last. */
  next(): boolean {
    for (;;) {
      if (this.#left === 0 && !this.#nextSpan()) {
        return false;
      }
      if (this.#placed()) {
        this.from = this.to;
        this.startMs = this.#nextMs;
        this.#advance(this.#runLength());
        if (this.quality !== missingCode) {
          return true;
        }
      }
    }
  }

  #nextSpan(): boolean {
    const { spans } = this.columns;
    for (;;) {
      this.#span += 1;
      if (this.#span >= spans.count.length) {
        return false;
      }
      const count = spans.count[this.#span] as number;
      this.lengthMs = spans.lengthMs[this.#span] as number;
      if (this.lengthMs === 0) {
        this.to += count;
      } else if (count > 0) {
        this.#left = count;
        this.#nextMs = spans.startMs[this.#span] as number;
        this.stepMs = spans.stepMs[this.#span] as number;
        return true;
      }
    }
  }

  /** Puts the grid on the next reading's hour; false when readings outside the grid were skipped instead. */
  #placed(): boolean {
    const grid = this.#grid;
    const startMs = this.#nextMs;
    if (startMs >= grid.hourStartMs && startMs < grid.hourEndMs) {
      return true;
    }
    if (startMs >= grid.endMs) {
      this.#advance(this.#left);
      return false;
    }
    if (startMs < grid.startMs) {
      this.#advance(this.#before(grid.startMs));
      return false;
    }
    grid.find(startMs);
    return true;
  }

  /** How many of the span's readings start before an instant; the next one does. */
  #before(instantMs: number): number {
    return this.stepMs === 0 ? this.#left : Math.min(this.#left, Math.ceil((instantMs - this.#nextMs) / this.stepMs));
  }

  #runLength(): number {
    const { quality, unit } = this.columns;
    const index = this.to;
    while ((quality.ends[this.#qualityRun] as number) <= index) {
      this.#qualityRun += 1;
    }
    while ((unit.ends[this.#unitRun] as number) <= index) {
      this.#unitRun += 1;
    }
    this.quality = quality.values[this.#qualityRun] as number;
    this.unit = unit.values[this.#unitRun] as number;
    const same = Math.min(quality.ends[this.#qualityRun] as number, unit.ends[this.#unitRun] as number) - index;
    return Math.min(same, this.#before(this.#grid.hourEndMs));
  }

  #advance(count: number): void {
    this.to += count;
    this.#left -= count;
    this.#nextMs += count * this.stepMs;
  }
}
