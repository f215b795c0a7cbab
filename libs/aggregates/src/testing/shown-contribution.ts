import { qualities, type Quality } from '@meterflow/readings';
import { qualityCount, slotCount, type Contribution } from '../groups/contribution.ts';
import { sumInteger } from '../wide-sum.ts';

/** A slot of a contribution as tests compare it: the sum as a fraction in lowest terms, and whose quality was what. */
export interface ShownSlot {
  readonly sum: string;
  readonly series: Readonly<Partial<Record<Quality, number>>>;
}

export function shownContribution(contribution: Contribution): ShownSlot[] {
  const denominator = 10n ** BigInt(contribution.decimals) * BigInt(contribution.divisor);
  return Array.from({ length: slotCount(contribution) }, (_, slot) => ({
    sum: fraction(sumInteger(contribution.sumHigh[slot] ?? NaN, contribution.sumLow[slot] ?? NaN), denominator),
    series: Object.fromEntries(
      qualities
        .map((quality, code) => [quality, qualityCount(contribution, slot, code)] as const)
        .filter(([, count]) => count > 0),
    ),
  }));
}

/** "3/4", "5", "-1/3". */
export function fraction(numerator: bigint, denominator: bigint): string {
  let [a, b] = [numerator < 0n ? -numerator : numerator, denominator];
  while (b !== 0n) {
    [a, b] = [b, a % b];
  }
  return denominator === a ? `${numerator / a}` : `${numerator / a}/${denominator / a}`;
}
