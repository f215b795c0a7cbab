import type { Contribution } from '@meterflow/aggregates';
import { decodeContribution, type ContributionStore } from '@meterflow/idempotent-writes';
import type { SeriesName } from '@meterflow/readings';
import type { NodeOfDay } from './node-notices.ts';

/** How many reads of one group are under way at once: a store may answer them together. */
const readsInFlightMax = 64;

export interface GivenContribution {
  readonly child: SeriesName;
  readonly contribution: Contribution;
}

export interface NodeRead extends NodeOfDay {
  readonly children: readonly GivenContribution[];
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
      const stored = await contributions.read({ tenant, node, day });
      const children = stored.map(({ child, content }) => ({ child, contribution: decodeContribution(content) }));
      reads.push({ node, day, children });
    }
  };
  await Promise.all(Array.from({ length: Math.min(readsInFlightMax, nodes.length) }, reader));
  return reads;
}
