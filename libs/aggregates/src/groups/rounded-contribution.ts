import { powersOfTen } from '@meterflow/readings';
import { CarriedRounding } from '../resolution/carried-rounding.ts';
import { setSum, sumInteger, type WideSum } from '../wide-sum.ts';
import { slotCount, type Contribution } from './contribution.ts';
import { WideColumn } from './wide-column.ts';

/** How the exact sums of slots become values of so many decimals. */
export interface Rounding {
  readonly decimals: number;
  /** Within spans of this length, counted from the day's start, what rounding adds or leaves is carried on: an hour. */
  readonly carryMs: number;
}

/**
 * The contribution with its sums rounded, its counts as they are: see {@link CarriedRounding}. So four quarters of an hourly
 * amount add up to it exactly, also after other amounts of no more than `decimals` were added or taken off; sums that the
 * decimals hold stay what they are.
 */
export function roundedContribution(contribution: Contribution, { decimals, carryMs }: Rounding): Contribution {
  const { slotMs } = contribution;
  const slots = slotCount(contribution);
  const carrySlots = Math.max(1, Math.round(carryMs / slotMs));
  if (contribution.decimals <= decimals && contribution.divisor === 1) {
    return contribution;
  }
  const sums = new WideColumn();
  sums.reset(slots);
  const finer = Math.max(0, contribution.decimals - decimals);
  const rounding = new CarriedRounding((powersOfTen[finer] as number) * contribution.divisor);
  const rounded: WideSum = { sumHigh: 0, sumLow: 0 };
  for (let slot = 0; slot < slots; slot++) {
    if (slot % carrySlots === 0) {
      rounding.reset();
    }
    const high = contribution.sumHigh[slot] as number;
    const low = contribution.sumLow[slot] as number;
    setSum(rounded, high === 0 ? rounding.round(low) : rounding.roundWide(sumInteger(high, low)));
    sums.sumHigh[slot] = rounded.sumHigh;
    sums.sumLow[slot] = rounded.sumLow;
  }
  return { ...contribution, decimals: sums.shorten(contribution.decimals - finer), divisor: 1, ...sums.finish() };
}
