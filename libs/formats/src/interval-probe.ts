import type { ParsedRow, RowProblem, RowSink } from './row.ts';
import type { SeriesEntry } from './series-table.ts';

/** Steps that are counted apart; further ones are noise. */
const stepsMax = 1_000;

/** Finds the usual interval of a source: the most frequent step between the rows of one series, the shorter on a tie. */
export class IntervalProbe implements RowSink {
  readonly #lastMs = new Map<SeriesEntry, number>();
  readonly #counts = new Map<number, number>();

  take(row: ParsedRow): RowProblem | undefined {
    const lastMs = this.#lastMs.get(row.series);
    this.#lastMs.set(row.series, row.stampMs);
    const stepMs = lastMs === undefined ? 0 : row.stampMs - lastMs;
    const isNew = !this.#counts.has(stepMs);
    if (stepMs > 0 && stepMs < 2 ** 32 && (!isNew || this.#counts.size < stepsMax)) {
      this.#counts.set(stepMs, (this.#counts.get(stepMs) ?? 0) + 1);
    }
    return undefined;
  }

  /** Undefined where no series had two rows in order. */
  get intervalMs(): number | undefined {
    const steps = [...this.#counts].sort(([a, countA], [b, countB]) => countB - countA || a - b);
    return steps[0]?.[0];
  }
}
