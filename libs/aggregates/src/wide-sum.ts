import { formatDecimal } from '@meterflow/readings';
import { sumHighUnit } from './aggregate-batch.ts';

/** Sums have up to 31 digits: sum = high * 10^15 + low, both of one sign, each exact in float64. */
export interface WideSum {
  sumHigh: number;
  sumLow: number;
}

const sumHighUnitBig = BigInt(sumHighUnit);
/** Means are rounded half-even to so many decimals. */
const meanDecimals = 9;

/** Splits an exact integer: a number below 2^53 in absolute, or any BigInt below 10^15 * 2^53. */
export function setSum(sum: WideSum, integer: number | bigint): void {
  if (typeof integer === 'bigint') {
    sum.sumHigh = Number(integer / sumHighUnitBig);
    sum.sumLow = Number(integer % sumHighUnitBig);
    return;
  }
  if (Math.abs(integer) < sumHighUnit) {
    sum.sumHigh = 0;
    sum.sumLow = integer;
    return;
  }
  // The remainder is exact where a quotient would be rounded; + 0 makes -0 a plain 0.
  const low = (integer % sumHighUnit) + 0;
  sum.sumHigh = (integer - low) / sumHighUnit;
  sum.sumLow = low;
}

export function sumInteger(high: number, low: number): bigint {
  return BigInt(high) * sumHighUnitBig + BigInt(low);
}

/** Writes a sum with no more digits than it needs. */
export function formatSum(high: number, low: number, decimals: number): string {
  return formatDecimal(high === 0 ? low : sumInteger(high, low), decimals);
}

/** So many significant digits come through float64 unharmed, however often they are brought to finer decimals. */
const extremeDigits = 15;

/**
 * The integer that a least or greatest value stands for. Beyond 2^53, where very large and very fine values meet in one
 * batch, float64 no longer holds every integer, but still the 15 digits of one that was brought to finer decimals: so
 * what a value says does not depend on what it is grouped with.
 */
export function extremeInteger(stored: number): number | bigint {
  if (Number.isSafeInteger(stored)) {
    return stored;
  }
  const [digits = '', exponent] = stored.toExponential(extremeDigits - 1).split('e');
  return BigInt(digits.replace('.', '')) * 10n ** BigInt(Number(exponent) - extremeDigits + 1);
}

/** The same times a power of ten, exactly. */
export function extremeProduct(stored: number, factor: number): number | bigint {
  const product = stored * factor;
  return Number.isSafeInteger(product) ? product : BigInt(extremeInteger(stored)) * BigInt(factor);
}

/** Writes a least or greatest value with no more digits than it needs. */
export function formatExtreme(stored: number, decimals: number): string {
  return formatDecimal(extremeInteger(stored), decimals);
}

/** sum / count, rounded half-even to {@link meanDecimals}; `count` is at least 1. */
export function formatMean(sum: WideSum, decimals: number, count: number): string {
  const shift = meanDecimals - decimals;
  const integer = sumInteger(sum.sumHigh, sum.sumLow) * 10n ** BigInt(Math.max(0, shift));
  const divisor = BigInt(count) * 10n ** BigInt(Math.max(0, -shift));
  return formatDecimal(divideHalfEven(integer, divisor), meanDecimals);
}

/** The mean of `count` values, at least one, whose sum is an exact integer: in the sum's own decimals, half-even. */
export function meanInteger(sum: number | bigint, count: number): number | bigint {
  if (typeof sum === 'bigint') {
    return divideHalfEven(sum, BigInt(count));
  }
  const rest = sum % count;
  const whole = (sum - rest) / count;
  const twice = Math.abs(rest) * 2;
  const up = twice > count || (twice === count && whole % 2 !== 0);
  return whole + (up ? Math.sign(sum) : 0);
}

function divideHalfEven(numerator: bigint, denominator: bigint): bigint {
  const negative = numerator < 0n;
  const absolute = negative ? -numerator : numerator;
  const floor = absolute / denominator;
  const twiceRest = (absolute % denominator) * 2n;
  const up = twiceRest > denominator || (twiceRest === denominator && floor % 2n === 1n);
  const rounded = up ? floor + 1n : floor;
  return negative ? -rounded : rounded;
}
