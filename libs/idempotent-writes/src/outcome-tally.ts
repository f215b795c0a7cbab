import { outcomes, type Outcome, type OutcomeCounts } from './outcome.ts';

export const insertedIndex = outcomes.indexOf('inserted');
export const supersededIndex = outcomes.indexOf('superseded');
export const shadowedIndex = outcomes.indexOf('shadowed');
export const duplicateIndex = outcomes.indexOf('duplicate');
export const conflictIndex = outcomes.indexOf('conflict');

/** Counts outcomes for each batch of a group, by number: no object for a reading. */
export class OutcomeTally {
  #counts = new Float64Array(outcomes.length * 16);

  reset(): void {
    this.#counts.fill(0);
  }

  /** Makes room for `batches` batches. */
  grow(batches: number): void {
    if (batches * outcomes.length > this.#counts.length) {
      const longer = new Float64Array(batches * outcomes.length * 2);
      longer.set(this.#counts);
      this.#counts = longer;
    }
  }

  add(batch: number, outcome: number, count: number): void {
    const at = batch * outcomes.length + outcome;
    this.#counts[at] = (this.#counts[at] as number) + count;
  }

  of(batch: number): OutcomeCounts {
    const count = (outcome: Outcome): number =>
      this.#counts[batch * outcomes.length + outcomes.indexOf(outcome)] as number;
    return {
      inserted: count('inserted'),
      superseded: count('superseded'),
      shadowed: count('shadowed'),
      duplicate: count('duplicate'),
      conflict: count('conflict'),
    };
  }
}
