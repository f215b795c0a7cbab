/**
 * Rounds amounts that follow one another, halves away from zero, and carries what that adds or leaves into the next one
 * (error diffusion): so they add up to what they were as long as that needs no rounding itself, whatever their signs.
 * Amounts are integers of 1 / parts; one that needs no rounding stays what it is and passes the carry on.
 *
 * 0.003 in four is 0.001, 0.001, 0.000, 0.001; 888.123 in four is 222.031, 222.031, 222.030, 222.031.
 */
export class CarriedRounding {
  readonly #parts: number;
  #carry = 0;

  /** `parts` is a whole number from 1 to 2^51. */
  constructor(parts: number) {
    this.#parts = parts;
  }

  /** What comes next has nothing to do with what came before. */
  reset(): void {
    this.#carry = 0;
  }

  /** The next amount, an integer that float64 holds. */
  round(amount: number): number {
    const rest = amount % this.#parts;
    const whole = (amount - rest) / this.#parts;
    // + 0 makes -0 a plain 0.
    return whole + this.#rounded(rest, Math.sign(whole)) + 0;
  }

  /** The same for one that it does not hold. */
  roundWide(amount: bigint): bigint {
    const parts = BigInt(this.#parts);
    const whole = amount / parts;
    return whole + BigInt(this.#rounded(Number(amount % parts), whole === 0n ? 0 : whole > 0n ? 1 : -1));
  }

  /** What is due beyond the whole: `sign` is that of the whole, which tells what is away from zero. */
  #rounded(rest: number, sign: number): number {
    if (rest === 0) {
      return 0;
    }
    const due = rest + this.#carry;
    const away = sign === 0 ? Math.sign(due) : sign;
    const rounded = away * Math.floor((2 * away * due + this.#parts) / (2 * this.#parts));
    this.#carry = due - rounded * this.#parts;
    return rounded;
  }
}
