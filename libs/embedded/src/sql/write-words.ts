const wordUnit = 2 ** 32;
const wordBits = 32n;

/** Writes an integer below 2^53 as an int64 at item `index`: two words. */
export function writeInt64(words: Uint32Array, index: number, integer: number): void {
  words[index * 2] = integer >>> 0;
  words[index * 2 + 1] = Math.floor(integer / wordUnit);
}

/** Writes an integer as an int128 at item `index`: four words. */
export function writeInt128(words: Uint32Array, index: number, integer: number | bigint): void {
  const at = index * 4;
  if (typeof integer === 'number') {
    const sign = integer < 0 ? wordUnit - 1 : 0;
    words[at] = integer >>> 0;
    words[at + 1] = Math.floor(integer / wordUnit);
    words[at + 2] = sign;
    words[at + 3] = sign;
    return;
  }
  for (let word = 0, rest = integer; word < 4; word++, rest >>= wordBits) {
    words[at + word] = Number(BigInt.asUintN(32, rest));
  }
}

/** integer * factor, as a number where float64 holds it exactly. */
export function exactProduct(integer: number, factor: number): number | bigint {
  const product = integer * factor;
  return Number.isSafeInteger(product) ? product : BigInt(integer) * BigInt(factor);
}
