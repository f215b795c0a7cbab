/** The sum of the values [from, to); NaN where there is a gap among them. */
export function sumOf(values: Float64Array, from: number, to: number): number {
  let sum = 0;
  for (let index = from; index < to; index++) {
    sum += values[index] ?? NaN;
  }
  return sum;
}

/** The sum of a day's values; NaN for a day with a gap, or without slots. */
export function totalOf(values: Float64Array): number {
  return values.length === 0 ? NaN : sumOf(values, 0, values.length);
}
