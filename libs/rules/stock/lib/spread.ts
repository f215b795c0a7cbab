/**
 * The part of a total that falls to one weight, in so many decimals; called with growing `before`. The roundings of all
 * parts cancel out: whatever the weights, the parts add up to the total, none is negative where the total is not, and
 * each is less than one last digit away from what it would be unrounded.
 */
export function partOf(
  total: number,
  { before, weight, sum }: { readonly before: number; readonly weight: number; readonly sum: number },
  decimals: number,
): number {
  const scale = 10 ** decimals;
  const whole = Math.round(total * scale);
  const upTo = (weights: number): number => Math.round(whole * (weights >= sum ? 1 : weights / sum));
  return (upTo(before + weight) - upTo(before)) / scale;
}
