import { ContributionSum, type Contribution } from '@meterflow/aggregates';
import { ContributionDecoder, type StoredContribution } from '@meterflow/idempotent-writes';
import { slotsOf, type DaysOfGroups } from './group-day.ts';
import { levelsOf, parseNode } from './group-tree.ts';
import type { NodeOfDay } from './node-notices.ts';

/** Sums nodes up, one after the other, into the same columns. */
export class NodeSums {
  readonly #groups: DaysOfGroups;
  readonly #decoder = new ContributionDecoder();
  readonly #sum = new ContributionSum();

  constructor(groups: DaysOfGroups) {
    this.#groups = groups;
  }

  /**
   * Children of another kind than hang here, and what was given in slots or a unit that the group no longer has, are left
   * out: whoever changed the group has it all computed anew. Undefined where there is no such group any more.
   */
  of({ node, day }: NodeOfDay, children: readonly StoredContribution[]): Contribution | undefined {
    const group = parseNode(node);
    const days = group && this.#groups.of(group.group);
    if (days === undefined) {
      return undefined;
    }
    const slots = slotsOf(days, day);
    const isLeaf = group?.path.length === levelsOf(days.definition) - 1;
    this.#sum.reset(slots, days.unit);
    for (const { child, content } of children) {
      const contribution = this.#decoder.read(content);
      const isAlike =
        contribution.startMs === slots.startMs &&
        contribution.endMs === slots.endMs &&
        contribution.slotMs === slots.slotMs &&
        contribution.unit === days.unit;
      // Of a shape that the group no longer has where a member is not at a leaf, or a branch is.
      if (isAlike && isLeaf === (child.meter !== node.meter)) {
        this.#sum.add(contribution);
      }
    }
    return this.#sum.finish();
  }
}
