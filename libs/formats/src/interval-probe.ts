import type { RowSink, Stretch } from './row.ts';
import type { SeriesEntry } from './series-table.ts';

/** Steps that are counted apart; further ones are noise. */
const stepsMax = 1_000;

/**
 * Finds the usual interval of a source: the most frequent step between the rows of one series, forth or back, the shorter on
 * a tie.
 */
export class IntervalProbe implements RowSink {
  readonly #lastMs = new Map<SeriesEntry, number>();
  readonly #counts = new Map<number, number>();

  take(stretch: Stretch): void {
    for (let index = 0; index < stretch.count; index++) {
      this.#count(stretch.series, stretch.startMs[index] as number);
    }
  }

  #count(series: SeriesEntry, stampMs: number): void {
    const lastMs = this.#lastMs.get(series);
    this.#lastMs.set(series, stampMs);
    const stepMs = lastMs === undefined ? 0 : Math.abs(stampMs - lastMs);
    const isKnown = this.#counts.has(stepMs);
    if (stepMs > 0 && stepMs < 2 ** 32 && (isKnown || this.#counts.size < stepsMax)) {
      this.#counts.set(stepMs, (this.#counts.get(stepMs) ?? 0) + 1);
    }
  }

  /** Undefined where no series had two rows. */
  get intervalMs(): number | undefined {
    const steps = [...this.#counts].sort(([a, countA], [b, countB]) => countB - countA || a - b);
    return steps[0]?.[0];
  }
}
