import type { SeriesName } from '@meterflow/readings';
import type { RowProblem, RowSink, Stretch, StretchRejects } from './row.ts';

/** Passes on the lines of known series; the others are rejected, each with what is to be done. */
export class KnownRows implements RowSink {
  readonly #isUnknown: (name: SeriesName) => boolean;
  readonly #sink: RowSink;

  constructor(isUnknown: (name: SeriesName) => boolean, sink: RowSink) {
    this.#isUnknown = isUnknown;
    this.#sink = sink;
  }

  take(stretch: Stretch, reject: StretchRejects): void {
    const { series, count } = stretch;
    series.isUnknown ??= this.#isUnknown(series.name);
    if (!series.isUnknown) {
      this.#sink.take(stretch, reject);
      return;
    }
    const problem = unknownSeriesProblem(series.name);
    for (let index = 0; index < count; index++) {
      reject(index, problem);
    }
  }
}

/** Why a reading of a series that nobody registered is not taken. */
export function unknownSeriesProblem({ meter, channel }: SeriesName): RowProblem & { readonly field: 'meter' } {
  const reason = `the series ${meter} ${channel} is not registered, and others are not taken: register it, then send this again`;
  return { field: 'meter', code: 'unknown-series', reason };
}
