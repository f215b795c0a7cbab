import type { ContributionStore, StoredContribution } from '@meterflow/idempotent-writes';
import type { NodeOfDay } from './node-notices.ts';

/** How many reads of one group are under way at once: a store may answer them together. */
const readsInFlightMax = 64;

export interface NodeRead extends NodeOfDay {
  readonly children: readonly StoredContribution[];
}

/** Each node with what its children gave, in one read. */
export async function readNodes(
  contributions: ContributionStore,
  tenant: string,
  nodes: readonly NodeOfDay[],
): Promise<readonly NodeRead[]> {
  const reads: NodeRead[] = [];
  const queue = nodes.values();
  const reader = async (): Promise<void> => {
    for (const { node, day } of queue) {
      reads.push({ node, day, children: await contributions.read({ tenant, node, day }) });
    }
  };
  await Promise.all(Array.from({ length: Math.min(readsInFlightMax, nodes.length) }, reader));
  return reads;
}
