import { powersOfTen, qualities, type Decimal } from '@meterflow/readings';
import { leastCommonMultiple } from '../resolution/unit-fraction.ts';
import {
  assertAlike,
  ownContribution,
  slotCount,
  UnlikeContributionsError,
  type Contribution,
  type DaySlots,
} from './contribution.ts';
import { WideColumn } from './wide-column.ts';

/** How a term goes into a sum: as it is, or taken off (losses = feeder - meters). Any other decimal will do as well. */
export const plus: Decimal = { integer: 1, decimals: 0 };
export const minus: Decimal = { integer: -1, decimals: 0 };

/**
 * Adds contributions up, column by column, without an object for any of them. Made once and used again after each
 * `reset`. Adding and removing the same cancels out; order and grouping do not matter.
 */
export class ContributionSum {
  readonly #sums = new WideColumn();
  #counts = new Uint32Array(0);
  #of: DaySlots & { readonly unit: string } = { startMs: 0, endMs: 0, slotMs: 1, unit: '' };
  #decimals = 0;
  #divisor = 1;

  reset({ startMs, endMs, slotMs }: DaySlots, unit: string): void {
    this.#of = { startMs, endMs, slotMs, unit };
    const slots = slotCount(this.#of);
    this.#sums.reset(slots);
    if (this.#counts.length === slots * qualities.length) {
      this.#counts.fill(0);
    } else {
      this.#counts = new Uint32Array(slots * qualities.length);
    }
    this.#decimals = 0;
    this.#divisor = 1;
  }

  /** Throws {@link UnlikeContributionsError} where slots or units differ. */
  add(contribution: Contribution, factor: Decimal = plus): void {
    this.#addSums(contribution, factor);
    const { counts } = contribution;
    for (let index = 0; index < counts.length; index++) {
      this.#counts[index] = (this.#counts[index] as number) + (counts[index] as number);
    }
  }

  /** Takes back what `add` added with the same factor. Throws {@link UnlikeContributionsError} where it never was. */
  remove(contribution: Contribution, factor: Decimal = plus): void {
    const { counts } = contribution;
    for (let index = 0; index < counts.length; index++) {
      if ((counts[index] as number) > (this.#counts[index] as number)) {
        throw new UnlikeContributionsError('a contribution was removed that is not in the sum');
      }
    }
    this.#addSums(contribution, { integer: -factor.integer, decimals: factor.decimals });
    for (let index = 0; index < counts.length; index++) {
      this.#counts[index] = (this.#counts[index] as number) - (counts[index] as number);
    }
  }

  /** What was added up, in its canonical form. The sum goes on from there. */
  finish(): Contribution {
    return ownContribution(this.lend());
  }

  /** The same without copies: its columns are this sum's own, good until its next use. */
  lend(): Contribution {
    this.#divisor /= this.#sums.reduce(this.#divisor);
    this.#decimals = this.#sums.shorten(this.#decimals);
    return {
      ...this.#of,
      decimals: this.#decimals,
      divisor: this.#divisor,
      ...this.#sums.lend(),
      counts: this.#counts,
    };
  }

  #addSums(contribution: Contribution, factor: Decimal): void {
    assertAlike(this.#of, contribution);
    const added = contribution.decimals + factor.decimals;
    const decimals = Math.max(this.#decimals, added);
    if (decimals >= powersOfTen.length) {
      throw new RangeError(`the values of a group have more than ${powersOfTen.length - 1} decimals`);
    }
    const divisor = leastCommonMultiple(this.#divisor, contribution.divisor);
    const own = (powersOfTen[decimals - this.#decimals] as number) * (divisor / this.#divisor);
    if (own !== 1) {
      this.#sums.scale(own);
      this.#decimals = decimals;
      this.#divisor = divisor;
    }
    const scale = (powersOfTen[decimals - added] as number) * (divisor / contribution.divisor);
    this.#sums.addColumn(contribution, factor.integer * scale);
  }
}

/** a + factor * b. Many are added with {@link ContributionSum}. */
export function addContribution(a: Contribution, b: Contribution, factor: Decimal = plus): Contribution {
  const sum = new ContributionSum();
  sum.reset(a, a.unit);
  sum.add(a);
  sum.add(b, factor);
  return sum.finish();
}

/** The inverse of {@link addContribution}: takes `b` out again. */
export function removeContribution(a: Contribution, b: Contribution, factor: Decimal = plus): Contribution {
  const sum = new ContributionSum();
  sum.reset(a, a.unit);
  sum.add(a);
  sum.remove(b, factor);
  return sum.finish();
}
