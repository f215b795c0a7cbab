import { integerMax, missingCode, type ReadingColumns, type Runs } from '@meterflow/readings';
import { MalformedMessageError } from './malformed-message-error.ts';
import type { MessageFields } from './message-fields.ts';
import { messageLimits } from './message-limits.ts';
import type { WireWriter } from './wire-writer.ts';

/** Numbers of the fields of ReadingColumns that hold the values: one of them is used. */
const narrow = 3;
const wide = 4;

let scratch = new Int32Array(messageLimits.readingsMax);

/** Writes the values: in 32 bits each where all fit, else as float64. The value of a missing reading is written as 0. */
export function writeValues(writer: WireWriter, columns: ReadingColumns, path: string): void {
  const values = zeroWhereMissing(columns.values, columns.quality);
  if (values.length > scratch.length) {
    scratch = new Int32Array(values.length);
  }
  const narrowed = scratch;
  for (let index = 0; index < values.length; index++) {
    const value = values[index] as number;
    const integer = value | 0;
    if (integer !== value) {
      writer.column(wide, wideValues(values, `${path}.values`));
      return;
    }
    narrowed[index] = integer;
  }
  writer.column(narrow, narrowed.subarray(0, values.length));
}

export function readValues(fields: MessageFields): Float64Array {
  const { readingsMax } = messageLimits;
  if (!fields.has(wide)) {
    return fields.int32sAsFloat64(narrow, readingsMax);
  }
  if (fields.has(narrow)) {
    throw fields.fail(wide, 'message-mismatch', 'values stand there both narrow and wide');
  }
  const values = fields.float64s(wide, readingsMax);
  checkValues(values, fields.pathOf(wide));
  return values;
}

/** The values, 0 where the quality is missing: they mean nothing there, and the bytes must not depend on them. */
export function zeroWhereMissing(values: Float64Array, quality: Runs): Float64Array {
  let zeroed = values;
  let start = 0;
  for (let run = 0; run < quality.ends.length; run++) {
    const end = quality.ends[run] as number;
    if (quality.values[run] === missingCode) {
      for (let index = start; index < end; index++) {
        if (zeroed[index] !== 0) {
          zeroed = zeroed === values ? values.slice() : zeroed;
          zeroed.fill(0, index, end);
          break;
        }
      }
    }
    start = end;
  }
  return zeroed;
}

/** The values with 0 for minus zero. */
function wideValues(values: Float64Array, path: string): Float64Array {
  const exact = new Float64Array(values.length);
  for (let index = 0; index < values.length; index++) {
    exact[index] = (values[index] as number) + 0;
  }
  checkValues(exact, path);
  return exact;
}

function checkValues(values: Float64Array, path: string): void {
  for (let index = 0; index < values.length; index++) {
    const value = values[index] as number;
    // The first comparison is false for NaN, the last for minus zero, whose bytes would differ from those of zero.
    if (!(value <= integerMax && value >= -integerMax && Math.trunc(value) === value) || Object.is(value, -0)) {
      throw new MalformedMessageError('message-value', `${path}[${index}]`, `${value} is not an integer below 2^53`);
    }
  }
}
