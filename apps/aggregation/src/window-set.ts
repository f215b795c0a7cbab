import type { SeriesName } from '@meterflow/readings';

/** Consecutive windows of one series: local days, or local months, by their numbers [first, end). */
export interface WindowRun {
  readonly series: SeriesName;
  readonly first: number;
  readonly end: number;
}

interface SeriesWindows {
  readonly series: SeriesName;
  readonly windows: Set<number>;
}

/** Windows of one tenant's series, each once. */
export class WindowSet {
  readonly #series = new Map<string, SeriesWindows>();
  #count = 0;

  /** How many windows. */
  get count(): number {
    return this.#count;
  }

  add({ series, first, end }: WindowRun): void {
    const path = seriesPath(series);
    let known = this.#series.get(path);
    if (known === undefined) {
      known = { series, windows: new Set() };
      this.#series.set(path, known);
    }
    const before = known.windows.size;
    for (let window = first; window < end; window++) {
      known.windows.add(window);
    }
    this.#count += known.windows.size - before;
  }

  addAll(other: WindowSet): void {
    for (const run of other.runs()) {
      this.add(run);
    }
  }

  /** How many windows of `other` are not here. */
  lacking(other: WindowSet): number {
    let lacking = 0;
    for (const [path, { windows }] of other.#series) {
      const here = this.#series.get(path)?.windows;
      for (const window of windows) {
        lacking += here?.has(window) === true ? 0 : 1;
      }
    }
    return lacking;
  }

  seriesPaths(): Iterable<string> {
    return this.#series.keys();
  }

  /** Neighbouring windows joined, series by series. */
  *runs(): Generator<WindowRun> {
    for (const { series, windows } of this.#series.values()) {
      if (windows.size === 1) {
        // Live readings, mostly.
        const [first = 0] = windows;
        yield { series, first, end: first + 1 };
        continue;
      }
      const numbers = Float64Array.from(windows).sort();
      let from = 0;
      for (let index = 1; index <= numbers.length; index++) {
        if (index === numbers.length || numbers[index] !== (numbers[index - 1] as number) + 1) {
          yield { series, first: numbers[from] as number, end: (numbers[index - 1] as number) + 1 };
          from = index;
        }
      }
    }
  }
}

/** Names a series within its tenant. */
export function seriesPath({ meter, channel }: SeriesName): string {
  return `${meter}\n${channel}`;
}
