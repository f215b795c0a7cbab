import { compareSeries, type NamedSeries } from '@meterflow/idempotent-writes';

/** One of several enumerations, each by tenant, meter and channel, that are walked side by side. */
export class SeriesStream<Content extends { readonly series: NamedSeries }> {
  readonly #contents: Iterator<Content>;
  #next: Content | undefined;

  constructor(contents: Iterable<Content>) {
    this.#contents = contents[Symbol.iterator]();
    this.#advance();
  }

  /** The series of what comes next; undefined at the end. */
  get series(): NamedSeries | undefined {
    return this.#next?.series;
  }

  /** All that comes next of this series. */
  *of(series: NamedSeries): Generator<Content> {
    while (this.#next !== undefined && compareSeries(this.#next.series, series) === 0) {
      yield this.#next;
      this.#advance();
    }
  }

  #advance(): void {
    const next = this.#contents.next();
    this.#next = next.done === true ? undefined : next.value;
  }
}

/** The series of all streams in order, each once; the caller takes what each stream has of it. */
export function* seriesOf(streams: readonly { readonly series: NamedSeries | undefined }[]): Generator<NamedSeries> {
  for (;;) {
    let first: NamedSeries | undefined;
    for (const { series } of streams) {
      if (series !== undefined && (first === undefined || compareSeries(series, first) < 0)) {
        first = series;
      }
    }
    if (first === undefined) {
      return;
    }
    yield first;
  }
}
