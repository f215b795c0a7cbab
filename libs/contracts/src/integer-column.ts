import { MalformedMessageError } from './malformed-message-error.ts';
import type { MessageFields } from './message-fields.ts';
import { messageLimits } from './message-limits.ts';
import type { WireWriter } from './wire-writer.ts';

/** A column of integers that stands in one of two fields: narrow where all fit 32 bits, else wide, as float64. */
export interface IntegerColumn {
  /** What an encoder's error calls it. */
  readonly path: string;
  /** Numbers of the two fields. */
  readonly narrow: number;
  readonly wide: number;
  /** The greatest integer either side of zero; more than 32 bits hold. */
  readonly max: number;
}

// One column is written at a time, in one width: both widths lie in the same memory.
let widened = new Float64Array(messageLimits.readingsMax);
let narrowed = new Int32Array(widened.buffer);

/** Writes the integers: in 32 bits each where all fit, else as float64; minus zero as 0. An empty column is left out. */
export function writeIntegers(writer: WireWriter, values: Float64Array, column: IntegerColumn): void {
  makeRoom(values.length);
  for (let index = 0; index < values.length; index++) {
    const value = values[index] as number;
    const integer = value | 0;
    if (integer !== value) {
      const wide = withoutMinusZero(values);
      checkExact(wide, column.path, column.max);
      writer.column(column.wide, wide);
      return;
    }
    narrowed[index] = integer;
  }
  writer.column(column.narrow, narrowed.subarray(0, values.length));
}

/** Reads what {@link writeIntegers} wrote, checked: no column for both widths, and wide ones of integers alone. */
export function readIntegers(fields: MessageFields, column: IntegerColumn, lengthMax: number): Float64Array {
  if (!fields.has(column.wide)) {
    return fields.int32sAsFloat64(column.narrow, lengthMax);
  }
  if (fields.has(column.narrow)) {
    throw fields.fail(column.wide, 'message-mismatch', 'stands there both narrow and wide');
  }
  return readWide(fields, column, lengthMax);
}

/** A column of integers that is mostly all zero, and then left out; else wide. */
export type SparseColumn = Omit<IntegerColumn, 'narrow'>;

export function writeUnlessZero(writer: WireWriter, values: Float64Array, column: SparseColumn): void {
  for (const value of values) {
    if (value !== 0) {
      makeRoom(values.length);
      const wide = withoutMinusZero(values);
      checkExact(wide, column.path, column.max);
      writer.column(column.wide, wide);
      return;
    }
  }
}

/** Reads what {@link writeUnlessZero} wrote: `length` zeros where it is left out. */
export function readOrZero(
  fields: MessageFields,
  column: SparseColumn,
  { length, lengthMax }: { length: number; lengthMax: number },
): Float64Array {
  return fields.has(column.wide) ? readWide(fields, column, lengthMax) : new Float64Array(length);
}

function makeRoom(length: number): void {
  if (length > widened.length) {
    widened = new Float64Array(length);
    narrowed = new Int32Array(widened.buffer);
  }
}

/** The values with 0 for minus zero, until the next column is written. */
function withoutMinusZero(values: Float64Array): Float64Array {
  for (let index = 0; index < values.length; index++) {
    widened[index] = (values[index] as number) + 0;
  }
  return widened.subarray(0, values.length);
}

function readWide(fields: MessageFields, { wide, max }: SparseColumn, lengthMax: number): Float64Array {
  const values = fields.float64s(wide, lengthMax);
  checkExact(values, fields.pathOf(wide), max);
  return values;
}

/** Checks that all are integers up to `max` either side of zero, each in its one way of writing. */
function checkExact(values: Float64Array, path: string, max: number): void {
  for (let index = 0; index < values.length; index++) {
    const value = values[index] as number;
    // The first comparison is false for NaN, the last for minus zero, whose bytes would differ from those of zero.
    if (!(value <= max && value >= -max && Math.trunc(value) === value) || Object.is(value, -0)) {
      const problem = `${Object.is(value, -0) ? '-0' : value} is not an integer from ${-max} to ${max}`;
      throw new MalformedMessageError('message-value', `${path}[${index}]`, problem);
    }
  }
}
