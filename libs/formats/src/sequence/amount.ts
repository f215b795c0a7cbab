import { decimalsMax, integerMax, type Decimal } from '@meterflow/readings';

/** a − b, exactly; undefined where no value holds it. */
export function difference(a: Decimal, b: Decimal): Decimal | undefined {
  const decimals = Math.max(a.decimals, b.decimals);
  return held(scaled(a, decimals) - scaled(b, decimals), decimals);
}

/** The share part/whole of an amount, rounded half-even to nine decimals, or fewer where so many do not fit. */
export function share(amount: Decimal, part: number, whole: number): Decimal | undefined {
  if (part === whole) {
    return amount;
  }
  for (let decimals = decimalsMax; decimals >= amount.decimals; decimals--) {
    const found = held(roundedHalfEven(scaled(amount, decimals) * BigInt(part), BigInt(whole)), decimals);
    if (found !== undefined) {
      return found;
    }
  }
  return undefined;
}

function scaled({ integer, decimals }: Decimal, to: number): bigint {
  return BigInt(integer) * 10n ** BigInt(to - decimals);
}

function held(value: bigint, decimals: number): Decimal | undefined {
  let [integer, left] = [value, decimals];
  while (left > 0 && integer % 10n === 0n) {
    integer /= 10n;
    left -= 1;
  }
  const isHeld = integer <= BigInt(integerMax) && integer >= -BigInt(integerMax);
  return isHeld ? { integer: Number(integer), decimals: left } : undefined;
}

function roundedHalfEven(numerator: bigint, denominator: bigint): bigint {
  const isNegative = numerator < 0n !== denominator < 0n;
  const [above, below] = [magnitude(numerator), magnitude(denominator)];
  const quotient = above / below;
  const twice = (above % below) * 2n;
  const rounded = twice > below || (twice === below && quotient % 2n === 1n) ? quotient + 1n : quotient;
  return isNegative ? -rounded : rounded;
}

function magnitude(value: bigint): bigint {
  return value < 0n ? -value : value;
}
