import { powersOfTen } from '@meterflow/readings';
import { sumHighUnit } from '../aggregate-batch.ts';
import { greatestCommonDivisor } from '../resolution/unit-fraction.ts';
import { setSum, sumInteger, type WideSum } from '../wide-sum.ts';

const scratch: WideSum = { sumHigh: 0, sumLow: 0 };

/**
 * A column of exact sums, each sumHigh * 10^15 + sumLow. While it is added to, the two may differ in sign; |sumLow| is
 * always below 10^15, so that adding two of them is exact.
 */
export class WideColumn {
  sumHigh = new Float64Array(0);
  sumLow = new Float64Array(0);
  #length = 0;

  reset(length: number): void {
    this.#length = length;
    if (length > this.sumHigh.length) {
      this.sumHigh = new Float64Array(length);
      this.sumLow = new Float64Array(length);
    } else {
      this.sumHigh.fill(0, 0, length);
      this.sumLow.fill(0, 0, length);
    }
  }

  /** Adds value * factor, both integers below 2^53. */
  add(index: number, value: number, factor: number): void {
    const product = value * factor;
    if (product < sumHighUnit && product > -sumHighUnit) {
      this.#carry(index, 0, product);
      return;
    }
    setSum(scratch, BigInt(value) * BigInt(factor));
    this.#carry(index, scratch.sumHigh, scratch.sumLow);
  }

  /** Adds another column times a factor, which is 1, -1 or some scale. */
  addColumn(from: { readonly sumHigh: Float64Array; readonly sumLow: Float64Array }, factor: number): void {
    const { sumHigh, sumLow } = from;
    const plain = factor === 1 || factor === -1;
    for (let index = 0; index < this.#length; index++) {
      const high = sumHigh[index] as number;
      const low = sumLow[index] as number;
      if (plain) {
        this.#carry(index, high * factor, low * factor);
      } else if (high === 0) {
        this.add(index, low, factor);
      } else {
        setSum(scratch, sumInteger(high, low) * BigInt(factor));
        this.#carry(index, scratch.sumHigh, scratch.sumLow);
      }
    }
  }

  clear(index: number): void {
    this.sumHigh[index] = 0;
    this.sumLow[index] = 0;
  }

  /** Multiplies all by a factor. */
  scale(factor: number): void {
    for (let index = 0; index < this.#length; index++) {
      const low = (this.sumLow[index] as number) * factor;
      if (this.sumHigh[index] === 0 && Math.abs(low) < sumHighUnit) {
        this.sumLow[index] = low;
      } else {
        const integer = sumInteger(this.sumHigh[index] as number, this.sumLow[index] as number);
        this.#set(index, integer * BigInt(factor));
      }
    }
  }

  /** Divides all by the greatest common divisor of them and `divisor`, which it returns. */
  reduce(divisor: number): number {
    let common = divisor;
    for (let index = 0; index < this.#length && common > 1; index++) {
      const integer = sumInteger(this.sumHigh[index] as number, this.sumLow[index] as number);
      common = greatestCommonDivisor(common, Number(integer % BigInt(common)));
    }
    if (common > 1) {
      this.#divide(common);
    }
    return common;
  }

  /** Takes away as many of `decimals` as are zeros everywhere; returns how many are left. */
  shorten(decimals: number): number {
    let spare = decimals;
    for (let index = 0; index < this.#length && spare > 0; index++) {
      // 10^15 has no more zeros than it has digits to check: beyond that the high part is looked at too.
      const low = this.sumLow[index] as number;
      const high = this.sumHigh[index] as number;
      while (spare > 0 && !endsInZeros(high, low, spare)) {
        spare -= 1;
      }
    }
    if (spare > 0) {
      this.#divide(powersOfTen[spare] as number);
    }
    return decimals - spare;
  }

  /** Copies of the columns, as {@link lend} gives them. */
  finish(): { sumHigh: Float64Array; sumLow: Float64Array } {
    const { sumHigh, sumLow } = this.lend();
    return { sumHigh: sumHigh.slice(), sumLow: sumLow.slice() };
  }

  /** The columns themselves, until the next use: both parts of one sign, no -0. Throws RangeError beyond 31 digits. */
  lend(): { sumHigh: Float64Array; sumLow: Float64Array } {
    for (let index = 0; index < this.#length; index++) {
      this.#settle(index);
    }
    return { sumHigh: this.sumHigh.subarray(0, this.#length), sumLow: this.sumLow.subarray(0, this.#length) };
  }

  #settle(index: number): void {
    let high = this.sumHigh[index] as number;
    let low = this.sumLow[index] as number;
    if (high === 0) {
      this.sumHigh[index] = 0;
      this.sumLow[index] = low + 0;
      return;
    }
    if (high > 0 && low < 0) {
      high -= 1;
      low += sumHighUnit;
    } else if (high < 0 && low > 0) {
      high += 1;
      low -= sumHighUnit;
    }
    if (!Number.isSafeInteger(high)) {
      throw new RangeError('the sum of a group has more than 31 digits');
    }
    // + 0 makes -0 a plain 0.
    this.sumHigh[index] = high + 0;
    this.sumLow[index] = low + 0;
  }

  #divide(by: number): void {
    for (let index = 0; index < this.#length; index++) {
      if (this.sumHigh[index] === 0) {
        this.sumLow[index] = (this.sumLow[index] as number) / by;
      } else {
        this.#set(index, sumInteger(this.sumHigh[index] as number, this.sumLow[index] as number) / BigInt(by));
      }
    }
  }

  #set(index: number, integer: bigint): void {
    setSum(scratch, integer);
    this.sumHigh[index] = scratch.sumHigh;
    this.sumLow[index] = scratch.sumLow;
  }

  #carry(index: number, high: number, low: number): void {
    let sum = (this.sumLow[index] as number) + low;
    let carry = high;
    if (sum >= sumHighUnit) {
      sum -= sumHighUnit;
      carry += 1;
    } else if (sum <= -sumHighUnit) {
      sum += sumHighUnit;
      carry -= 1;
    }
    this.sumLow[index] = sum;
    this.sumHigh[index] = (this.sumHigh[index] as number) + carry;
  }
}

/** 10^15 ends in 15 zeros, so that up to there the low part alone tells. */
const lowDigits = 15;

function endsInZeros(high: number, low: number, zeros: number): boolean {
  return zeros <= lowDigits || high === 0
    ? low % (powersOfTen[zeros] as number) === 0
    : sumInteger(high, low) % 10n ** BigInt(zeros) === 0n;
}
