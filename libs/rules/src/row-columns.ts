import { powersOfTen, integerMax, RunsBuilder, type ReadingCursor, type Runs } from '@meterflow/readings';

type Column = Float64Array | Uint32Array | Uint16Array | Uint8Array;

/** The places that the texts and the version of a reading have in the lists that rows share. */
export interface RowPlaces {
  readonly unit: number;
  readonly code: number;
  readonly method: number;
  readonly reason: number;
  readonly version: number;
}

/** Readings in columns without runs: to be written in any order, and to be put together anew. */
export class RowColumns {
  count = 0;
  startMs: Float64Array;
  lengthMs: Uint32Array;
  integers: Float64Array;
  decimals: Uint8Array;
  quality: Uint8Array;
  unit: Uint16Array;
  code: Uint16Array;
  method: Uint16Array;
  reason: Uint16Array;
  version: Uint32Array;

  constructor(capacity: number) {
    this.startMs = new Float64Array(capacity);
    this.lengthMs = new Uint32Array(capacity);
    this.integers = new Float64Array(capacity);
    this.decimals = new Uint8Array(capacity);
    this.quality = new Uint8Array(capacity);
    this.unit = new Uint16Array(capacity);
    this.code = new Uint16Array(capacity);
    this.method = new Uint16Array(capacity);
    this.reason = new Uint16Array(capacity);
    this.version = new Uint32Array(capacity);
  }

  /** Writes the reading that a cursor is at; `index` may be one more than there were. */
  write(index: number, cursor: ReadingCursor, places: RowPlaces): void {
    if (index >= this.startMs.length) {
      this.#grow();
    }
    this.startMs[index] = cursor.startMs;
    this.lengthMs[index] = cursor.lengthMs;
    this.integers[index] = cursor.integer;
    this.decimals[index] = cursor.columns.decimals;
    this.quality[index] = cursor.qualityCode;
    this.unit[index] = places.unit;
    this.code[index] = places.code;
    this.method[index] = places.method;
    this.reason[index] = places.reason;
    this.version[index] = places.version;
    this.count = Math.max(this.count, index + 1);
  }

  /** Appends the rows [from, to) of others, for which there must be room. */
  append(rows: RowColumns, from: number, to: number): void {
    if (from === to) {
      return;
    }
    const at = this.count;
    this.startMs.set(rows.startMs.subarray(from, to), at);
    this.lengthMs.set(rows.lengthMs.subarray(from, to), at);
    this.integers.set(rows.integers.subarray(from, to), at);
    this.decimals.set(rows.decimals.subarray(from, to), at);
    this.quality.set(rows.quality.subarray(from, to), at);
    this.unit.set(rows.unit.subarray(from, to), at);
    this.code.set(rows.code.subarray(from, to), at);
    this.method.set(rows.method.subarray(from, to), at);
    this.reason.set(rows.reason.subarray(from, to), at);
    this.version.set(rows.version.subarray(from, to), at);
    this.count += to - from;
  }

  /** All values as integers of one count of decimals; `isExact` is false where that takes one beyond 2^53. */
  sharedValues(): { readonly values: Float64Array; readonly decimals: number; readonly isExact: boolean } {
    const { count, decimals } = this;
    let shared = 0;
    let fewest = count === 0 ? 0 : Infinity;
    for (let index = 0; index < count; index++) {
      const own = decimals[index] as number;
      shared = own > shared ? own : shared;
      fewest = own < fewest ? own : fewest;
    }
    const values = this.integers.slice(0, count);
    let isExact = true;
    for (let index = 0; index < count && fewest < shared; index++) {
      const scaled = (values[index] as number) * (powersOfTen[shared - (decimals[index] as number)] as number);
      values[index] = scaled;
      isExact = isExact && Math.abs(scaled) <= integerMax;
    }
    return { values, decimals: shared, isExact };
  }

  #grow(): void {
    const longer = <Of extends Column>(column: Of, empty: Of): Of => {
      (empty as Float64Array).set(column);
      return empty;
    };
    const wide = new RowColumns(Math.max(16, this.startMs.length * 4));
    this.startMs = longer(this.startMs, wide.startMs);
    this.lengthMs = longer(this.lengthMs, wide.lengthMs);
    this.integers = longer(this.integers, wide.integers);
    this.decimals = longer(this.decimals, wide.decimals);
    this.quality = longer(this.quality, wide.quality);
    this.unit = longer(this.unit, wide.unit);
    this.code = longer(this.code, wide.code);
    this.method = longer(this.method, wide.method);
    this.reason = longer(this.reason, wide.reason);
    this.version = longer(this.version, wide.version);
  }
}

/** The first `count` values of a column in runs; `renamed` is asked once for each run. */
export function runsOf(column: Column, count: number, renamed?: (value: number) => number): Runs {
  const runs = new RunsBuilder();
  let from = 0;
  while (from < count) {
    const value = column[from] as number;
    let to = from + 1;
    while (to < count && column[to] === value) {
      to += 1;
    }
    runs.push(renamed === undefined ? value : renamed(value), to - from);
    from = to;
  }
  return runs.finish();
}
