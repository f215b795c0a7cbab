/** 1 / parts = multiplier / (10^decimals * divisor), where the divisor has no factor of 2 or 5: as few digits as will do. */
export interface UnitFraction {
  readonly multiplier: number;
  readonly decimals: number;
  readonly divisor: number;
}

/** A quarter is 25 / 10^2, a third is 1 / 3. `parts` is a whole number from 1. */
export function unitFraction(parts: number): UnitFraction {
  let [divisor, twos, fives] = [parts, 0, 0];
  for (; divisor % 2 === 0; divisor /= 2) {
    twos += 1;
  }
  for (; divisor % 5 === 0; divisor /= 5) {
    fives += 1;
  }
  const decimals = Math.max(twos, fives);
  return { multiplier: 2 ** (decimals - twos) * 5 ** (decimals - fives), decimals, divisor };
}

export function greatestCommonDivisor(a: number, b: number): number {
  while (b !== 0) {
    [a, b] = [b, a % b];
  }
  return Math.abs(a);
}

export function leastCommonMultiple(a: number, b: number): number {
  return (a / greatestCommonDivisor(a, b)) * b;
}
