import type { RemarkList } from './remark-list.ts';
import type { Stretch } from './row.ts';
import { SeriesCoverage, type Span } from './series-coverage.ts';
import type { SeriesEntry } from './series-table.ts';

/**
 * Notices readings that a source brings twice, and those that it leaves out between others, in whatever order its lines
 * stand. It remembers spans of time and not readings: of a series in order, one. Where a series has more of them than
 * `spansPerSeriesMax` the earliest is forgotten: the gap after it is told at once, repeats in it are not noticed. So it
 * is with all series where a source has more than `seriesRememberedMax`. Of registers, which fill no spans, only a repeat
 * that follows at once is noticed.
 */
export class Coverage {
  readonly #remarks: RemarkList;
  #series: SeriesEntry[] = [];
  readonly #readings = { from: 0, to: 0, lengthMs: 0 };

  constructor(remarks: RemarkList) {
    this.#remarks = remarks;
  }

  /** Called with all that is accepted, in order: the lines of a stretch from `from` up to `to`. */
  add(stretch: Stretch, to: number, lengthMs: number): void {
    const { startMs, series } = stretch;
    const fromMs = startMs[stretch.from] as number;
    if (stretch.isRun && series.coverage?.goesOn(fromMs, (to - stretch.from) * lengthMs, lengthMs) === true) {
      return;
    }
    const readings = this.#readings;
    readings.from = stretch.from;
    readings.to = to;
    readings.lengthMs = lengthMs;
    const coverage = series.coverage ?? this.#begin(stretch, lengthMs);
    for (;;) {
      const index = coverage.follow(startMs, readings);
      if (index >= to) {
        return;
      }
      this.#place(stretch, index, lengthMs);
      readings.from = index + 1;
    }
  }

  /** Tells of the gaps there are and starts over. */
  end(): void {
    for (const { name, coverage } of this.#series) {
      coverage?.gaps((before, after) => {
        this.#remarks.gap(name, before, after);
      });
    }
    this.#series = [];
  }

  /** The same for all series but the one in work, which goes on. */
  forgetAllBut(inWork: SeriesEntry): void {
    this.#series = this.#series.filter((series) => series !== inWork);
    this.end();
    this.#series.push(inWork);
  }

  #begin({ series, startMs, line, from }: Stretch, lengthMs: number): SeriesCoverage {
    series.coverage = new SeriesCoverage({ startMs: startMs[from] as number, lengthMs, line: line + from });
    this.#series.push(series);
    return series.coverage;
  }

  #place({ series: { name, coverage }, startMs, line }: Stretch, index: number, lengthMs: number): void {
    const reading = { startMs: startMs[index] as number, lengthMs, line: line + index };
    if (coverage?.place(reading) === false) {
      this.#remarks.repeated(name, reading);
    } else {
      coverage?.forgetSurplus((before: Span, after: Span) => {
        this.#remarks.gap(name, before, after);
      });
    }
  }
}
