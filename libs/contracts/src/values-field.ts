import { integerMax, missingCode, type ReadingColumns, type Runs } from '@meterflow/readings';
import { readIntegers, writeIntegers, type IntegerColumn } from './integer-column.ts';
import type { MessageFields } from './message-fields.ts';
import { messageLimits } from './message-limits.ts';
import type { WireWriter } from './wire-writer.ts';

const column: IntegerColumn = { path: 'columns.values', narrow: 3, wide: 4, max: integerMax };

/** Writes the values. The value of a missing reading is written as 0. */
export function writeValues(writer: WireWriter, columns: ReadingColumns): void {
  writeIntegers(writer, zeroWhereMissing(columns.values, columns.quality), column);
}

export function readValues(fields: MessageFields): Float64Array {
  return readIntegers(fields, column, messageLimits.readingsMax);
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
