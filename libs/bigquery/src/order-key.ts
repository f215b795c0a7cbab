import { powersOfTen } from '@meterflow/readings';

const fractionDecimals = 9;
/** Between the texts of a key; no text of a reading holds it. */
const separator = 0;
const encoder = new TextEncoder();

/**
 * Writes order keys: bytes whose order (as unsigned bytes, the shorter first) is the order of what was written, part by
 * part. Each part begins with what tells its length, so that no part reaches into the next.
 *
 * A key of a reading is what `compareReadings` compares, in its order (version, value, quality), and then the texts and
 * the acceptance, so that of two rows that say the same the one that is shown never depends on which came first.
 */
export class OrderKeyWriter {
  length = 0;
  #bytes = new Uint8Array(512);

  reset(): void {
    this.length = 0;
  }

  /** A view that the next write may change. */
  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.length);
  }

  /** Copies the key into `memory` from `at` on; returns where it ends there. */
  copy(memory: Uint8Array, at: number): number {
    const { length } = this;
    const bytes = this.#bytes;
    // Keys are some twenty bytes: a loop beats making a view of them.
    for (let index = 0; index < length; index++) {
      memory[at + index] = bytes[index] as number;
    }
    return at + length;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.length++] = value;
  }

  /** A whole number from 0 to 2^53 - 1: the count of its bytes, then those, highest first. */
  whole(value: number): void {
    const count = byteCount(value);
    this.byte(count);
    this.#highestFirst(value, count, 0);
  }

  /** integer / 10^decimals, with at most nine decimals: whatever its decimals, equal numbers are equal bytes. */
  decimal(integer: number, decimals: number): void {
    const unit = powersOfTen[decimals] as number;
    const rest = integer % unit;
    const negative = integer < 0;
    const whole = Math.abs((integer - rest) / unit);
    const fraction = Math.abs(rest) * (powersOfTen[fractionDecimals - decimals] as number);
    const count = byteCount(whole);
    const flip = negative ? 0xff : 0;
    this.byte(negative ? 0x7f - count : 0x80 + count);
    this.#highestFirst(whole, count, flip);
    this.#highestFirst(fraction, 4, flip);
  }

  /** A signed integer that is given in two's complement, highest byte first. */
  signed(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.length);
    (this.#bytes[this.length] as number) ^= 0x80;
    this.length += bytes.length;
  }

  text(text: string): void {
    if (text !== '') {
      const encoded = encoder.encode(text);
      this.#reserve(encoded.length);
      this.#bytes.set(encoded, this.length);
      this.length += encoded.length;
    }
    this.byte(separator);
  }

  #highestFirst(value: number, count: number, flip: number): void {
    this.#reserve(count);
    let rest = value;
    for (let at = this.length + count - 1; at >= this.length; at--) {
      this.#bytes[at] = (rest & 0xff) ^ flip;
      rest = rest < 2 ** 31 ? rest >>> 8 : Math.floor(rest / 256);
    }
    this.length += count;
  }

  #reserve(count: number): void {
    if (this.length + count > this.#bytes.length) {
      const longer = new Uint8Array((this.length + count) * 2);
      longer.set(this.#bytes);
      this.#bytes = longer;
    }
  }
}

function byteCount(value: number): number {
  let count = 0;
  for (let limit = 1; value >= limit; limit *= 256) {
    count += 1;
  }
  return count;
}
