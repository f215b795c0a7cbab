import type { Contribution } from '@meterflow/aggregates';
import type { ContributionStore, StoredContribution } from '@meterflow/idempotent-writes';
import type { NodeOfDay } from './node-notices.ts';

/** How many reads of one group are under way at once: a store may answer them together. */
const readsInFlightMax = 64;

export interface NodeRead extends NodeOfDay {
  /** Undefined: of a group that is not there any more. */
  readonly total: Contribution | undefined;
}

/** What a node's children gave, summed up. */
export type SumNode = (node: NodeOfDay, children: readonly StoredContribution[]) => Contribution | undefined;

/** Each node in one read. What its children gave is summed up at once: kept for a whole flood, it was most of the memory. */
export async function readNodes(
  contributions: ContributionStore,
  { tenant, nodes, sum }: { readonly tenant: string; readonly nodes: readonly NodeOfDay[]; readonly sum: SumNode },
): Promise<readonly NodeRead[]> {
  const reads: NodeRead[] = [];
  const queue = nodes.values();
  const reader = async (): Promise<void> => {
    for (const { node, day } of queue) {
      const children = await contributions.read({ tenant, node, day });
      reads.push({ node, day, total: sum({ node, day }, children) });
    }
  };
  await Promise.all(Array.from({ length: Math.min(readsInFlightMax, nodes.length) }, reader));
  return reads;
}
