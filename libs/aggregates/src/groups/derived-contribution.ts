import { qualities, qualityCode, type Decimal } from '@meterflow/readings';
import { expectedCount, slotCount, type Contribution } from './contribution.ts';
import { WideColumn } from './wide-column.ts';

/** What was worked out from others is one series of quality calculated, wherever any of them was expected. */
export function calculatedContribution(contribution: Contribution): Contribution {
  const slots = slotCount(contribution);
  const counts = new Uint32Array(slots * qualities.length);
  const calculated = qualityCode('calculated') * slots;
  for (let slot = 0; slot < slots; slot++) {
    counts[calculated + slot] = expectedCount(contribution, slot) > 0 ? 1 : 0;
  }
  return { ...contribution, counts };
}

/** Times a sign, and nothing below zero: of losses those that someone must buy, or, with minus, those that he gets. */
export function positivePart(contribution: Contribution, sign: Decimal): Contribution {
  const factor = sign.integer < 0 ? -1 : 1;
  const { sumHigh, sumLow, counts } = contribution;
  const isKept = (slot: number): boolean => {
    const high = sumHigh[slot] as number;
    return factor * (high === 0 ? (sumLow[slot] as number) : high) > 0;
  };
  return selected(contribution, { isKept, factor, counts });
}

/** The slots that are asked for; in the others nothing is expected. */
export function contributionWhere(contribution: Contribution, isKept: (slot: number) => boolean): Contribution {
  const slots = slotCount(contribution);
  const counts = contribution.counts.map((count, index) => (isKept(index % slots) ? count : 0));
  return selected(contribution, { isKept, factor: 1, counts });
}

interface Selection {
  readonly isKept: (slot: number) => boolean;
  readonly factor: 1 | -1;
  readonly counts: Uint32Array;
}

/** Canonical again: what is left may need fewer decimals. */
function selected(contribution: Contribution, { isKept, factor, counts }: Selection): Contribution {
  const sums = new WideColumn();
  sums.reset(slotCount(contribution));
  sums.addColumn(contribution, factor);
  for (let slot = 0; slot < slotCount(contribution); slot++) {
    if (!isKept(slot)) {
      sums.clear(slot);
    }
  }
  const divisor = contribution.divisor / sums.reduce(contribution.divisor);
  return { ...contribution, divisor, decimals: sums.shorten(contribution.decimals), ...sums.finish(), counts };
}
