import { qualities, qualityOf, type Quality } from '@meterflow/readings';

/** A local day in slots of elapsed time from its start; where a day is no whole number of slots, its last one is shorter. */
export interface DaySlots {
  readonly startMs: number;
  readonly endMs: number;
  readonly slotMs: number;
}

/**
 * What one member (a series or another group) gives its parent over one local day, slot by slot, in columns. Sums are
 * integers of 10^-decimals / divisor; sum = sumHigh * 10^15 + sumLow, both of one sign. The divisor is 1 but where
 * intervals were cut in parts that no decimal holds (an hour in six).
 *
 * `counts` are five columns, one a quality, each `slotCount` long: how many series gave a value of this quality to the
 * slot; those of quality missing were expected and gave none. Each series counts once a slot, however long its intervals.
 *
 * A contribution is canonical: equal ones have equal bytes, whatever they were added up from and in which order.
 */
export interface Contribution extends DaySlots {
  /** What all members are brought to. */
  readonly unit: string;
  readonly decimals: number;
  readonly divisor: number;
  readonly sumHigh: Float64Array;
  readonly sumLow: Float64Array;
  readonly counts: Uint32Array;
}

/** Thrown where contributions of other slots or units are put together: a broken invariant of the caller. */
export class UnlikeContributionsError extends Error {
  override readonly name = 'UnlikeContributionsError';
}

export function slotCount({ startMs, endMs, slotMs }: DaySlots): number {
  return Math.ceil((endMs - startMs) / slotMs);
}

/** What a member gives that is none: also what replaces the contribution of one that left. */
export function emptyContribution({ startMs, endMs, slotMs }: DaySlots, unit: string): Contribution {
  const slots = slotCount({ startMs, endMs, slotMs });
  return {
    startMs,
    endMs,
    slotMs,
    unit,
    decimals: 0,
    divisor: 1,
    sumHigh: new Float64Array(slots),
    sumLow: new Float64Array(slots),
    counts: new Uint32Array(slots * qualities.length),
  };
}

/** With columns of its own, where those of the contribution were lent. */
export function ownContribution(lent: Contribution): Contribution {
  const { sumHigh, sumLow, counts } = lent;
  return { ...lent, sumHigh: sumHigh.slice(), sumLow: sumLow.slice(), counts: counts.slice() };
}

/** How many series gave the slot something of a quality. */
export function qualityCount({ counts }: Contribution, slot: number, quality: number): number {
  return counts[quality * (counts.length / qualities.length) + slot] as number;
}

/** How many series belonged to the group in the slot. */
export function expectedCount(contribution: Contribution, slot: number): number {
  let count = 0;
  for (let quality = 0; quality < qualities.length; quality++) {
    count += qualityCount(contribution, slot, quality);
  }
  return count;
}

/** The qualities that occur in a slot, as bits: bit `i` is the quality of code `i`. Groups keep the set. */
export function qualityBits(contribution: Contribution, slot: number): number {
  let bits = 0;
  for (let quality = 0; quality < qualities.length; quality++) {
    if (qualityCount(contribution, slot, quality) > 0) {
      bits |= 1 << quality;
    }
  }
  return bits;
}

/** The names of a set of qualities, in the order of their codes. */
export function qualitySet(bits: number): Quality[] {
  return qualities.flatMap((_, code) => ((bits & (1 << code)) === 0 ? [] : [qualityOf(code)]));
}

export function sameContribution(a: Contribution, b: Contribution): boolean {
  return (
    alike(a, b) &&
    a.decimals === b.decimals &&
    a.divisor === b.divisor &&
    sameColumn(a.sumLow, b.sumLow) &&
    sameColumn(a.sumHigh, b.sumHigh) &&
    sameColumn(a.counts, b.counts)
  );
}

/** Throws {@link UnlikeContributionsError}. */
export function assertAlike(a: DaySlots & { unit: string }, b: DaySlots & { unit: string }): void {
  if (!alike(a, b)) {
    throw new UnlikeContributionsError(`contributions of ${shown(a)} and ${shown(b)} can't be added`);
  }
}

function alike(a: DaySlots & { unit: string }, b: DaySlots & { unit: string }): boolean {
  return a.startMs === b.startMs && a.endMs === b.endMs && a.slotMs === b.slotMs && a.unit === b.unit;
}

function shown({ startMs, endMs, slotMs, unit }: DaySlots & { unit: string }): string {
  return `[${startMs}, ${endMs}) by ${slotMs} ms in "${unit}"`;
}

function sameColumn(a: Float64Array | Uint32Array, b: Float64Array | Uint32Array): boolean {
  for (let index = 0; index < a.length; index++) {
    if (a[index] !== b[index]) {
      return false;
    }
  }
  return a.length === b.length;
}
