/** integer * factor, as a number where float64 holds it exactly. */
export function exactProduct(integer: number, factor: number): number | bigint {
  const product = integer * factor;
  return Number.isSafeInteger(product) ? product : BigInt(integer) * BigInt(factor);
}
