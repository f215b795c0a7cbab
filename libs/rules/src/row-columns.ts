import { powersOfTen, integerMax, RunsBuilder, type ReadingColumns, type ReadingCursor } from '@meterflow/readings';

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

/** Rows [from, to) of columns: batches are put together of parts, and read where these lie. */
export interface RowPart {
  readonly rows: RowColumns;
  readonly from: number;
  readonly to: number;
}

/** All values of the parts as integers of one count of decimals; `isExact` is false where that takes one beyond 2^53. */
export function sharedValues(
  parts: readonly RowPart[],
  count: number,
): { readonly values: Float64Array; readonly decimals: number; readonly isExact: boolean } {
  let shared = 0;
  let fewest = count === 0 ? 0 : Infinity;
  for (const { rows, from, to } of parts) {
    const { decimals } = rows;
    for (let row = from; row < to; row++) {
      const own = decimals[row] as number;
      shared = own > shared ? own : shared;
      fewest = own < fewest ? own : fewest;
    }
  }
  const values = new Float64Array(count);
  let isExact = true;
  let at = 0;
  for (const { rows, from, to } of parts) {
    values.set(rows.integers.subarray(from, to), at);
    for (let row = from; row < to && fewest < shared; row++) {
      const index = at + row - from;
      const scaled = (values[index] as number) * (powersOfTen[shared - (rows.decimals[row] as number)] as number);
      values[index] = scaled;
      isExact = isExact && Math.abs(scaled) <= integerMax;
    }
    at += to - from;
  }
  return { values, decimals: shared, isExact };
}

/** The columns whose neighbours are mostly alike. */
export type RunColumns = Pick<ReadingColumns, 'quality' | 'unit' | 'code' | 'method' | 'reason' | 'version'>;

/** The parts' columns in runs; `renamed` is asked for the version of each stretch of readings that are alike in all of them. */
export function runColumnsOf(parts: readonly RowPart[], renamed: (version: number) => number): RunColumns {
  const quality = new RunsBuilder();
  const unit = new RunsBuilder();
  const code = new RunsBuilder();
  const method = new RunsBuilder();
  const reason = new RunsBuilder();
  const version = new RunsBuilder();
  for (const { rows, from, to } of parts) {
    for (let row = from; row < to;) {
      const end = alikeUntil(rows, row, to);
      const count = end - row;
      quality.push(rows.quality[row] as number, count);
      unit.push(rows.unit[row] as number, count);
      code.push(rows.code[row] as number, count);
      method.push(rows.method[row] as number, count);
      reason.push(rows.reason[row] as number, count);
      version.push(renamed(rows.version[row] as number), count);
      row = end;
    }
  }
  return {
    ...{ quality: quality.finish(), unit: unit.finish(), code: code.finish() },
    ...{ method: method.finish(), reason: reason.finish(), version: version.finish() },
  };
}

/** The first row after `row` that differs from it in any column: one loop over all of them, each read at a place of its own. */
function alikeUntil({ quality, unit, code, method, reason, version }: RowColumns, row: number, to: number): number {
  const [ofQuality, ofUnit, ofCode] = [quality[row], unit[row], code[row]];
  const [ofMethod, ofReason, ofVersion] = [method[row], reason[row], version[row]];
  let next = row + 1;
  while (
    next < to &&
    quality[next] === ofQuality &&
    version[next] === ofVersion &&
    unit[next] === ofUnit &&
    code[next] === ofCode &&
    method[next] === ofMethod &&
    reason[next] === ofReason
  ) {
    next += 1;
  }
  return next;
}
