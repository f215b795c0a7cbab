import { integerMax, powersOfTen, roundHalfEven } from '@meterflow/readings';

/** Values before they are exact: integers of `decimals` that stand, and floats where a rule changed or removed one. */
export interface MixedColumn {
  readonly integers: Float64Array;
  readonly decimals: number;
  readonly floats: Float64Array;
  /** Per reading: bits that say which of the two counts, or that there is no value. */
  readonly bits: Uint8Array;
  readonly changedBit: number;
  readonly absentBit: number;
  /** What floats are rounded to, half to even. */
  readonly roundedTo: number;
}

/** The readings [from, to) in integers of one count of decimals, the smallest that holds them all. */
export interface ExactPart {
  readonly from: number;
  readonly to: number;
  readonly integers: Float64Array;
  readonly decimals: number;
}

/** Makes the values exact: one part, or several where one count of decimals would take some value to 2^53. */
export function exactParts(column: MixedColumn): ExactPart[] {
  const whole = exactWhole(column);
  return whole === undefined ? exactCuts(column) : [whole];
}

/** All in one part, at the finest exponent that could be needed, then divided by what it has too much. */
function exactWhole(column: MixedColumn): ExactPart | undefined {
  const { integers, floats, bits, changedBit, absentBit, roundedTo } = column;
  const count = integers.length;
  const finest = Math.max(column.decimals, roundedTo);
  const integerScale = powersOfTen[finest - column.decimals] as number;
  const floatScale = powersOfTen[finest - roundedTo] as number;
  const wholeScale = powersOfTen[finest] as number;
  const exact = new Float64Array(count);
  let decimals = 0;
  let spare = powersOfTen[finest] as number;
  let perSpare = 1 / spare;
  for (let index = 0; index < count; index++) {
    const bit = bits[index] as number;
    let scaled = 0;
    let isWhole = false;
    if ((bit & absentBit) === 0) {
      const float = floats[index] as number;
      if ((bit & changedBit) === 0) {
        scaled = (integers[index] as number) * integerScale;
      } else if ((float | 0) === float) {
        // Needs no rounding and no decimals, as most readings in small units. The bits of -0 are those of 0.
        scaled = (float | 0) * wholeScale;
        isWhole = true;
      } else {
        scaled = (roundHalfEven(float, roundedTo) ?? Infinity) * floatScale;
      }
    }
    if (!(Math.abs(scaled) <= integerMax)) {
      return undefined;
    }
    exact[index] = scaled;
    // True for multiples of `spare` alone: the product by the reciprocal is off by less than a half, which floor mends.
    while (!isWhole && decimals < finest && Math.floor(scaled * perSpare + 0.5) * spare !== scaled) {
      decimals += 1;
      spare = powersOfTen[finest - decimals] as number;
      perSpare = 1 / spare;
    }
  }
  if (decimals < finest) {
    for (let index = 0; index < count; index++) {
      exact[index] = (exact[index] as number) / spare;
    }
  }
  return { from: 0, to: count, integers: exact, decimals };
}

/** Cut wherever the next value does not go with those before it. */
function exactCuts(column: MixedColumn): ExactPart[] {
  const count = column.integers.length;
  const integers = new Float64Array(count);
  const decimals = new Uint8Array(count);
  const parts: ExactPart[] = [];
  let from = 0;
  let shared = 0;
  let greatest = 0;
  for (let index = 0; index < count; index++) {
    const exact = exactValue(column, index);
    integers[index] = exact.integer;
    decimals[index] = exact.decimals;
    const absolute = Math.abs(exact.integer) / (powersOfTen[exact.decimals] as number);
    const nextShared = Math.max(shared, exact.decimals);
    const nextGreatest = Math.max(greatest, absolute);
    if (index > from && nextGreatest * (powersOfTen[nextShared] as number) >= integerMax) {
      parts.push(partOf({ integers, decimals }, { from, to: index, shared }));
      from = index;
      shared = exact.decimals;
      greatest = absolute;
    } else {
      shared = nextShared;
      greatest = nextGreatest;
    }
  }
  parts.push(partOf({ integers, decimals }, { from, to: count, shared }));
  return parts;
}

function partOf(
  values: { readonly integers: Float64Array; readonly decimals: Uint8Array },
  { from, to, shared }: { readonly from: number; readonly to: number; readonly shared: number },
): ExactPart {
  const integers = values.integers.slice(from, to);
  for (let index = 0; index < integers.length; index++) {
    const own = values.decimals[from + index] as number;
    integers[index] = (integers[index] as number) * (powersOfTen[shared - own] as number);
  }
  return { from, to, integers, decimals: shared };
}

/**
 * One value with no more decimals than it needs. A float too large for the decimals it should have keeps as many as
 * 2^53 has room for; it has no more than that itself.
 */
function exactValue(column: MixedColumn, index: number): { integer: number; decimals: number } {
  const bit = column.bits[index] as number;
  if ((bit & column.absentBit) !== 0) {
    return { integer: 0, decimals: 0 };
  }
  if ((bit & column.changedBit) === 0) {
    return canonical(column.integers[index] as number, column.decimals);
  }
  for (let decimals = column.roundedTo; decimals >= 0; decimals--) {
    const integer = roundHalfEven(column.floats[index] as number, decimals);
    if (integer !== undefined) {
      return canonical(integer, decimals);
    }
  }
  throw new RangeError(`a rule's result of 2^53 or more passed the sandbox`);
}

function canonical(integer: number, decimals: number): { integer: number; decimals: number } {
  let shortest = integer;
  let left = decimals;
  while (left > 0 && shortest % 10 === 0) {
    shortest /= 10;
    left -= 1;
  }
  return { integer: shortest, decimals: left };
}
