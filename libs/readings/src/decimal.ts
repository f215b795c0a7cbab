import { InvalidReadingError } from './invalid-reading-error.ts';

/**
 * Exact values: an integer in float64 (its absolute below 2^53) and a count of decimals, value = integer / 10^decimals.
 * A column has one count of decimals, the smallest that holds all its values.
 */
export const decimalsMax = 9;
export const integerMax = Number.MAX_SAFE_INTEGER;

/** 10^0 to 10^22: every power of ten that float64 holds exactly. */
export const powersOfTen: Float64Array = Float64Array.from({ length: 23 }, (_, power) => Number(`1e${power}`));

export interface Decimal {
  readonly integer: number;
  readonly decimals: number;
}

const decimalPattern = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?$/;

/** Why a text is no value. */
export interface DecimalProblem {
  readonly code: 'invalid-value' | 'too-many-decimals' | 'value-too-large';
  readonly reason: string;
}

/** Reads "-1.250", "5e-3"; throws {@link InvalidReadingError} for anything else, more than nine decimals, or 2^53 and over. */
export function parseDecimal(text: string): Decimal {
  const decimal = readDecimal(text);
  if ('code' in decimal) {
    throw new InvalidReadingError(decimal.code, decimal.reason);
  }
  return decimal;
}

/** The same for texts that may well be none: says why instead of throwing, which costs more than all the rest. */
export function readDecimal(text: string): Decimal | DecimalProblem {
  const match = decimalPattern.exec(text.length <= 64 ? text : '');
  const whole = match?.[2] ?? '';
  const fraction = match?.[3] ?? '';
  if (match === null || whole.length + fraction.length === 0) {
    return { code: 'invalid-value', reason: `"${text.slice(0, 64)}" is not a number` };
  }
  const digits = (whole + fraction).replace(/^0+/, '');
  const significant = digits.replace(/0+$/, '');
  if (significant === '') {
    return { integer: 0, decimals: 0 };
  }
  const exponent = Number(match[4] ?? 0) - fraction.length + (digits.length - significant.length);
  return decimalOf((match[1] === '-' ? -1 : 1) * Number(significant), significant.length, exponent);
}

function decimalOf(integer: number, digits: number, exponent: number): Decimal | DecimalProblem {
  if (exponent < -decimalsMax) {
    return { code: 'too-many-decimals', reason: `the value has more than ${decimalsMax} decimals` };
  }
  const scaled = exponent > 0 && exponent < 22 ? integer * (powersOfTen[exponent] as number) : integer;
  if (digits > 16 || exponent >= 22 || Math.abs(scaled) > integerMax) {
    return { code: 'value-too-large', reason: 'the value has more digits than 2^53 holds' };
  }
  return { integer: scaled, decimals: Math.max(0, -exponent) };
}

/** Writes the value with no more digits than it needs: (-1250, 3) is "-1.25". */
export function formatDecimal(integer: number | bigint, decimals: number): string {
  if (decimals === 0) {
    return integer === 0 ? '0' : integer.toString();
  }
  const negative = integer < 0;
  const digits = (negative ? -integer : integer).toString().padStart(decimals + 1, '0');
  const fraction = digits.slice(-decimals).replace(/0+$/, '');
  const text = digits.slice(0, -decimals) + (fraction === '' ? '' : `.${fraction}`);
  return negative && text !== '0' ? `-${text}` : text;
}

/** Compares two exact values as numbers: 100 with two decimals equals 1 with none. */
export function compareDecimals(a: number, aDecimals: number, b: number, bDecimals: number): number {
  if (aDecimals === bDecimals) {
    return a - b;
  }
  const decimals = Math.max(aDecimals, bDecimals);
  const left = a * (powersOfTen[decimals - aDecimals] as number);
  const right = b * (powersOfTen[decimals - bDecimals] as number);
  if (Math.abs(left) <= integerMax && Math.abs(right) <= integerMax) {
    return left - right;
  }
  const exact = BigInt(a) * 10n ** BigInt(decimals - aDecimals) - BigInt(b) * 10n ** BigInt(decimals - bDecimals);
  return exact < 0n ? -1 : exact > 0n ? 1 : 0;
}

/** The smallest count of decimals that still holds all of `values`, which have `decimals`. */
export function canonicalDecimals(values: Float64Array, decimals: number, from = 0, to = values.length): number {
  let spare = decimals;
  for (let index = from; index < to && spare > 0; index++) {
    const value = values[index] as number;
    while (spare > 0 && value % (powersOfTen[spare] as number) !== 0) {
      spare -= 1;
    }
  }
  return decimals - spare;
}

/** Rounds a float to `decimals`, half to even; undefined when it is not finite or needs 2^53 or more. */
export function roundHalfEven(value: number, decimals: number): number | undefined {
  const scaled = value * (powersOfTen[decimals] as number);
  if (!(Math.abs(scaled) <= integerMax)) {
    return undefined;
  }
  const floor = Math.floor(scaled);
  const rest = scaled - floor;
  const rounded = rest < 0.5 || (rest === 0.5 && floor % 2 === 0) ? floor : floor + 1;
  return rounded === 0 ? 0 : rounded;
}
