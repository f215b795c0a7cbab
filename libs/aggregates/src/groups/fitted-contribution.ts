import { missingCode, qualities, qualityCode } from '@meterflow/readings';
import { setSum, sumInteger, type WideSum } from '../wide-sum.ts';
import { unitFraction } from '../resolution/unit-fraction.ts';
import { multiplier } from '../unit-choice.ts';
import { emptyContribution, qualityCount, slotCount, type Contribution, type DaySlots } from './contribution.ts';
import { fitsSlots } from './member-stretch.ts';
import { WideColumn } from './wide-column.ts';

const estimatedCode = qualityCode('estimated');

export interface Fitting extends DaySlots {
  readonly unit: string;
  /** Slots that start within [fromMs, toMs) alone count. */
  readonly fromMs: number;
  readonly toMs: number;
}

/**
 * What a group gives a group above it, in that one's unit and slots: slots longer than those are shared out to them in
 * exact equal parts, shorter ones are added up. In a unit that can't be converted everything is
 * missing. Undefined where the two have no day in common, or slots that don't divide each other: nothing can be said.
 */
export function fittedContribution(contribution: Contribution, to: Fitting): Contribution | undefined {
  if (
    contribution.startMs !== to.startMs ||
    contribution.endMs !== to.endMs ||
    !fitsSlots(contribution.slotMs, to.slotMs)
  ) {
    return undefined;
  }
  const within = slotsWithin(contribution, to);
  const fitted =
    contribution.slotMs > to.slotMs
      ? sharedOut(within, to)
      : contribution.slotMs < to.slotMs
        ? addedUp(within, to)
        : within;
  return inUnit(fitted, to.unit);
}

function slotsWithin(contribution: Contribution, { fromMs, toMs }: Fitting): Contribution {
  const { startMs, endMs, slotMs } = contribution;
  const slots = slotCount(contribution);
  const first = Math.min(slots, Math.max(0, Math.ceil((fromMs - startMs) / slotMs)));
  const end = Math.max(first, Math.min(slots, Math.ceil((toMs - startMs) / slotMs)));
  if (first === 0 && end === slots) {
    return contribution;
  }
  const { sumHigh, sumLow, counts, ...rest } = emptyContribution({ startMs, endMs, slotMs }, contribution.unit);
  sumHigh.set(contribution.sumHigh.subarray(first, end), first);
  sumLow.set(contribution.sumLow.subarray(first, end), first);
  for (let quality = 0; quality < qualities.length; quality++) {
    const at = quality * slots;
    counts.set(contribution.counts.subarray(at + first, at + end), at + first);
  }
  return { ...rest, decimals: contribution.decimals, divisor: contribution.divisor, sumHigh, sumLow, counts };
}

function sharedOut(contribution: Contribution, to: DaySlots): Contribution {
  const parts = contribution.slotMs / to.slotMs;
  const { multiplier: scale, decimals, divisor } = unitFraction(parts);
  const { sumHigh, sumLow, counts, ...rest } = emptyContribution(to, contribution.unit);
  const slots = sumHigh.length;
  for (let slot = 0; slot < slots; slot++) {
    const from = Math.floor(slot / parts);
    sumHigh[slot] = contribution.sumHigh[from] as number;
    sumLow[slot] = contribution.sumLow[from] as number;
    for (let quality = 0; quality < qualities.length; quality++) {
      counts[quality * slots + slot] = qualityCount(contribution, from, quality);
    }
  }
  return scaled(
    {
      ...rest,
      decimals: contribution.decimals + decimals,
      divisor: contribution.divisor * divisor,
      ...{ sumHigh, sumLow, counts },
    },
    scale,
  );
}

function addedUp(contribution: Contribution, to: DaySlots): Contribution {
  const parts = to.slotMs / contribution.slotMs;
  const { sumHigh, sumLow, counts, ...rest } = emptyContribution(to, contribution.unit);
  const slots = sumHigh.length;
  const sum: WideSum = { sumHigh: 0, sumLow: 0 };
  for (let slot = 0; slot < slots; slot++) {
    const end = Math.min(slotCount(contribution), (slot + 1) * parts);
    let total = 0n;
    let series = 0;
    for (let from = slot * parts; from < end; from++) {
      total += sumInteger(contribution.sumHigh[from] as number, contribution.sumLow[from] as number);
      series = Math.max(series, seriesIn(contribution, from));
    }
    setSum(sum, total);
    sumHigh[slot] = sum.sumHigh;
    sumLow[slot] = sum.sumLow;
    putCounts(counts, slot, joinedCounts(contribution, { from: slot * parts, end, series }));
  }
  return { ...rest, decimals: contribution.decimals, divisor: contribution.divisor, sumHigh, sumLow, counts };
}

/**
 * By quality: how many of the series of a slot that several become. Missing are those that never gave anything; of those
 * that did so at times a part is not known: they are estimated. Of the others the worst first.
 */
function joinedCounts(
  contribution: Contribution,
  { from, end, series }: { readonly from: number; readonly end: number; readonly series: number },
): number[] {
  const most = qualities.map(() => 0);
  let missing = series;
  for (let slot = from; slot < end; slot++) {
    for (let quality = 0; quality < qualities.length; quality++) {
      most[quality] = Math.max(most[quality] as number, qualityCount(contribution, slot, quality));
    }
    missing = Math.min(missing, qualityCount(contribution, slot, missingCode));
  }
  most[estimatedCode] = (most[estimatedCode] as number) + (most[missingCode] as number) - missing;
  most[missingCode] = missing;
  let left = series;
  for (let quality = qualities.length - 1; quality >= 0; quality--) {
    const count = Math.min(left, most[quality] as number);
    most[quality] = count;
    left -= count;
  }
  return most;
}

function putCounts(counts: Uint32Array, slot: number, byQuality: readonly number[]): void {
  const slots = counts.length / qualities.length;
  byQuality.forEach((count, quality) => {
    counts[quality * slots + slot] = count;
  });
}

function seriesIn(contribution: Contribution, slot: number): number {
  return qualities.reduce((sum, _, quality) => sum + qualityCount(contribution, slot, quality), 0);
}

function inUnit(contribution: Contribution, unit: string): Contribution {
  const power = multiplier(contribution.unit, unit);
  if (power === 0) {
    return { ...contribution, unit };
  }
  if (power === undefined) {
    return allMissing(contribution, unit);
  }
  const decimals = contribution.decimals - power;
  if (decimals >= 0) {
    return { ...contribution, unit, decimals };
  }
  return scaled({ ...contribution, unit, decimals: 0 }, 10 ** -decimals);
}

function scaled(contribution: Contribution, factor: number): Contribution {
  const sums = new WideColumn();
  sums.reset(slotCount(contribution));
  sums.addColumn(contribution, factor);
  return { ...contribution, ...sums.finish() };
}

function allMissing(contribution: Contribution, unit: string): Contribution {
  const empty = emptyContribution(contribution, unit);
  const slots = slotCount(contribution);
  for (let slot = 0; slot < slots; slot++) {
    empty.counts[missingCode * slots + slot] = seriesIn(contribution, slot);
  }
  return empty;
}
