import { powersOfTen } from './decimal.ts';

const floatMax = 2 ** 52;

/** Adds exact values: integers in float64 as long as they stay below 2^52, in BigInt from there on. */
export class ExactSum {
  #float = 0;
  #big = 0n;
  #decimals = 0;

  /** Adds integer / 10^decimals. */
  add(integer: number, decimals: number): void {
    const scaled = decimals === this.#decimals ? integer : this.#aligned(integer, decimals);
    const sum = this.#float + scaled;
    if (sum < floatMax && sum > -floatMax) {
      this.#float = sum;
    } else {
      this.#big += BigInt(this.#float) + BigInt(scaled);
      this.#float = 0;
    }
  }

  get decimals(): number {
    return this.#decimals;
  }

  /** The sum as an integer of `decimals`. */
  get integer(): bigint {
    return this.#big + BigInt(this.#float);
  }

  reset(): void {
    this.#float = 0;
    this.#big = 0n;
    this.#decimals = 0;
  }

  /** Brings the sum or the value to the larger count of decimals. A value that float64 can't hold then goes to the BigInt. */
  #aligned(integer: number, decimals: number): number {
    if (decimals > this.#decimals) {
      this.#big = this.integer * 10n ** BigInt(decimals - this.#decimals);
      this.#float = 0;
      this.#decimals = decimals;
      return integer;
    }
    const scaled = integer * (powersOfTen[this.#decimals - decimals] as number);
    if (Math.abs(scaled) < floatMax) {
      return scaled;
    }
    this.#big += BigInt(integer) * 10n ** BigInt(this.#decimals - decimals);
    return 0;
  }
}
