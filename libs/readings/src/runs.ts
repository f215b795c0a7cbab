/** A column in runs: the readings from `ends[i - 1]` (0 for the first) up to `ends[i]` all hold `values[i]`. */
export interface Runs {
  readonly ends: Uint32Array;
  readonly values: Uint32Array;
}

/** One value for all `count` readings. */
export function constantRuns(value: number, count: number): Runs {
  return count === 0
    ? { ends: new Uint32Array(0), values: new Uint32Array(0) }
    : { ends: Uint32Array.of(count), values: Uint32Array.of(value) };
}

/** The value at one reading: O(log runs). To walk a whole column use {@link RunsCursor}. */
export function runAt(runs: Runs, index: number): number {
  return runs.values[runIndex(runs, index)] as number;
}

/** The run that holds a reading: O(log runs). */
export function runIndex(runs: Runs, index: number): number {
  let low = 0;
  let high = runs.ends.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((runs.ends[middle] as number) > index) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

/** Walks a column forwards; `at` must be called with indexes that never fall. */
export class RunsCursor {
  readonly #runs: Runs;
  #run = 0;

  constructor(runs: Runs) {
    this.#runs = runs;
  }

  at(index: number): number {
    const { ends, values } = this.#runs;
    while ((ends[this.#run] as number) <= index) {
      this.#run += 1;
    }
    return values[this.#run] as number;
  }

  /** Where the run that `at` found last ends. */
  get end(): number {
    return this.#runs.ends[this.#run] as number;
  }
}

export function sliceRuns(runs: Runs, from: number, to: number): Runs {
  const builder = new RunsBuilder();
  let start = 0;
  for (let run = 0; run < runs.ends.length && start < to; run++) {
    const end = runs.ends[run] as number;
    builder.push(runs.values[run] as number, Math.min(end, to) - Math.max(start, from));
    start = end;
  }
  return builder.finish();
}

/** Collects a column value by value; equal neighbours share a run. */
export class RunsBuilder {
  #ends = new Uint32Array(4);
  #values = new Uint32Array(4);
  #runs = 0;
  #count = 0;
  #last = -1;

  get count(): number {
    return this.#count;
  }

  /** Appends `value` for `count` readings; a count of 0 or less appends nothing. */
  push(value: number, count = 1): void {
    if (count <= 0) {
      return;
    }
    this.#count += count;
    if (value === this.#last) {
      this.#ends[this.#runs - 1] = this.#count;
      return;
    }
    if (this.#runs === this.#ends.length) {
      this.#grow();
    }
    this.#ends[this.#runs] = this.#count;
    this.#values[this.#runs] = value;
    this.#runs += 1;
    this.#last = value;
  }

  finish(): Runs {
    return { ends: this.#ends.slice(0, this.#runs), values: this.#values.slice(0, this.#runs) };
  }

  reset(): void {
    this.#runs = 0;
    this.#count = 0;
    this.#last = -1;
  }

  #grow(): void {
    const ends = new Uint32Array(this.#ends.length * 4);
    const values = new Uint32Array(ends.length);
    ends.set(this.#ends);
    values.set(this.#values);
    this.#ends = ends;
    this.#values = values;
  }
}
