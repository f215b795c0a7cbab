import { hash } from 'node:crypto';
import type { SeriesName } from '@meterflow/readings';
import { groupMeter, groupOfMeter, type GroupDefinition } from '@meterflow/registry';

/**
 * A group's tree of partial sums. A node is named like a series: the group's meter, and for a channel its path from the
 * root, a branch a level. Members hang at the leaves, each at the one that its hash names; a small group's root is its
 * only leaf. The shape goes by the definition alone, so that every process knows it without a read.
 *
 *     group:area / node          the root: its sum is the group's
 *     group:area / node/17       a branch: what it sums up is one cell of the root
 *     group:area / node/17/3     a leaf of a group of very many members
 */
export const branchesMax = 128;

/** Members that a group is made for that neither names nor expects any. */
const membersDefault = branchesMax * branchesMax;
const levelsMax = 3;

const rootChannel = 'node';

export interface GroupNode {
  readonly group: string;
  /** Branches from the root down to it: none for the root itself. */
  readonly path: readonly string[];
}

/** How many levels of nodes a group has: 1 where members hang at the root. */
export function levelsOf({ source, membersExpected = membersDefault }: GroupDefinition): number {
  const members =
    source.kind === 'children'
      ? source.children.length
      : source.kind === 'terms'
        ? source.terms.length
        : membersExpected;
  let levels = 1;
  for (let room = branchesMax; room < members && levels < levelsMax; room *= branchesMax) {
    levels += 1;
  }
  return levels;
}

/** The node that a member hangs at. */
export function leafOf(definition: GroupDefinition, member: SeriesName): SeriesName {
  const levels = levelsOf(definition);
  if (levels === 1) {
    return rootOf(definition.name);
  }
  const bytes = hash('sha256', `${member.meter}\n${member.channel}`, 'buffer');
  const branches = Array.from(bytes.subarray(0, levels - 1), (byte) => String(byte % branchesMax));
  return { meter: groupMeter(definition.name), channel: [rootChannel, ...branches].join('/') };
}

function rootOf(group: string): SeriesName {
  return { meter: groupMeter(group), channel: rootChannel };
}

/** Undefined for what names no node. */
export function parseNode({ meter, channel }: SeriesName): GroupNode | undefined {
  const group = groupOfMeter(meter);
  const [root, ...path] = channel.split('/');
  return group === undefined || root !== rootChannel ? undefined : { group, path };
}

/** The node that this one is a branch of; undefined for a root. */
export function parentOf(node: SeriesName): SeriesName | undefined {
  const end = node.channel.lastIndexOf('/');
  return end < 0 ? undefined : { meter: node.meter, channel: node.channel.slice(0, end) };
}
