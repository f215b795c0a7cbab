import { qualities } from '@meterflow/readings';
import { leastCommonMultiple } from '../resolution/unit-fraction.ts';
import { assertAlike, slotCount, UnlikeContributionsError, type Contribution, type DaySlots } from './contribution.ts';
import { WideColumn } from './wide-column.ts';

/** How a member goes into its parent: as it is, or taken off (losses = feeder - meters). */
export type TermFactor = 1 | -1;

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
    this.#counts = new Uint32Array(slots * qualities.length);
    this.#decimals = 0;
    this.#divisor = 1;
  }

  /** Throws {@link UnlikeContributionsError} where slots or units differ. */
  add(contribution: Contribution, factor: TermFactor = 1): void {
    this.#addSums(contribution, factor);
    const { counts } = contribution;
    for (let index = 0; index < counts.length; index++) {
      this.#counts[index] = (this.#counts[index] as number) + (counts[index] as number);
    }
  }

  /** Takes back what `add` added with the same factor. Throws {@link UnlikeContributionsError} where it never was. */
  remove(contribution: Contribution, factor: TermFactor = 1): void {
    const { counts } = contribution;
    for (let index = 0; index < counts.length; index++) {
      if ((counts[index] as number) > (this.#counts[index] as number)) {
        throw new UnlikeContributionsError('a contribution was removed that is not in the sum');
      }
    }
    this.#addSums(contribution, factor === 1 ? -1 : 1);
    for (let index = 0; index < counts.length; index++) {
      this.#counts[index] = (this.#counts[index] as number) - (counts[index] as number);
    }
  }

  /** What was added up, in its canonical form. The sum goes on from there. */
  finish(): Contribution {
    this.#divisor /= this.#sums.reduce(this.#divisor);
    this.#decimals = this.#sums.shorten(this.#decimals);
    return {
      ...this.#of,
      decimals: this.#decimals,
      divisor: this.#divisor,
      ...this.#sums.finish(),
      counts: this.#counts.slice(),
    };
  }

  #addSums(contribution: Contribution, sign: TermFactor): void {
    assertAlike(this.#of, contribution);
    const decimals = Math.max(this.#decimals, contribution.decimals);
    const divisor = leastCommonMultiple(this.#divisor, contribution.divisor);
    const own = 10 ** (decimals - this.#decimals) * (divisor / this.#divisor);
    if (own !== 1) {
      this.#sums.scale(own);
      this.#decimals = decimals;
      this.#divisor = divisor;
    }
    const factor = 10 ** (decimals - contribution.decimals) * (divisor / contribution.divisor);
    this.#sums.addColumn(contribution, sign * factor);
  }
}

/** a + b, or a - b. Many are added with {@link ContributionSum}. */
export function addContribution(a: Contribution, b: Contribution, factor: TermFactor = 1): Contribution {
  const sum = new ContributionSum();
  sum.reset(a, a.unit);
  sum.add(a);
  sum.add(b, factor);
  return sum.finish();
}

/** The inverse of {@link addContribution}: takes `b` out again. */
export function removeContribution(a: Contribution, b: Contribution, factor: TermFactor = 1): Contribution {
  const sum = new ContributionSum();
  sum.reset(a, a.unit);
  sum.add(a);
  sum.remove(b, factor);
  return sum.finish();
}
