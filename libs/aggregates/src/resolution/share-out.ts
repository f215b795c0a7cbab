/**
 * Shares of a whole, none but the last decimal of error: part `index` (from 0) of `whole` cut into `parts` equal ones,
 * in the whole's own last decimal. What rounding one part adds or leaves is carried into the next (error diffusion,
 * halves away from zero), which is the same as rounding the running totals: so the shares add up to the whole exactly,
 * the shares of a negative are the negated ones, and each is known without the others.
 *
 * 0.003 in four is 0.001, 0.001, 0.000, 0.001; 888.123 in four is 222.031, 222.031, 222.030, 222.031.
 */
export function share(whole: number, parts: number, index: number): number {
  const rest = whole % parts;
  // + 0 makes -0 a plain 0.
  return (whole - rest) / parts + runningTotal(rest, parts, index + 1) - runningTotal(rest, parts, index) + 0;
}

/** The same for wholes that float64 does not hold. */
export function wideShare(whole: bigint, parts: number, index: number): bigint {
  const rest = Number(whole % BigInt(parts));
  return whole / BigInt(parts) + BigInt(runningTotal(rest, parts, index + 1) - runningTotal(rest, parts, index));
}

/** All shares, in order. */
export function shareOut(whole: number, parts: number): number[] {
  return Array.from({ length: parts }, (_, index) => share(whole, parts, index));
}

/** count * rest / parts, halves away from zero. `rest` is smaller than `parts`. */
function runningTotal(rest: number, parts: number, count: number): number {
  const total = Math.floor((2 * Math.abs(rest) * count + parts) / (2 * parts));
  return rest < 0 ? -total : total;
}
