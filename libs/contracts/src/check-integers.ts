import { integerMax } from '@meterflow/readings';
import { MalformedMessageError } from './malformed-message-error.ts';

/** Checks that all numbers of a column are integers that float64 holds exactly, within the bounds. */
export function checkIntegers(
  column: Float64Array,
  path: string,
  { min = -integerMax, max = integerMax }: { min?: number; max?: number } = {},
): void {
  for (let index = 0; index < column.length; index++) {
    const value = column[index] as number;
    // False for NaN too.
    if (!(value >= min && value <= max && Math.trunc(value) === value)) {
      const problem = `${value} is not an integer from ${min} to ${max}`;
      throw new MalformedMessageError('message-value', `${path}[${index}]`, problem);
    }
  }
}
