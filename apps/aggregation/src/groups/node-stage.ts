import {
  AggregateBatchBuilder,
  appendFormerWindows,
  appendGroupSheet,
  ContributionSum,
  emptyContribution,
  fittedContribution,
  type AggregatesStored,
  type Contribution,
} from '@meterflow/aggregates';
import {
  decodeAggregatesStored,
  encodeAggregateBatch,
  messageAttributes,
  topicName,
  type Lane,
} from '@meterflow/contracts';
import {
  ContributionDecoder,
  encodeContribution,
  type ContributionCell,
  type ContributionStore,
  type ContributionWrite,
  type Tickets,
} from '@meterflow/idempotent-writes';
import { parseDecimal } from '@meterflow/readings';
import { groupMeter, type GroupsSnapshot, type Membership } from '@meterflow/registry';
import type { Handled, OutgoingMessage, Stage } from '@meterflow/stage';
import { dayWindowsMax } from '../aggregation-stage.ts';
import { byTenant } from '../by-tenant.ts';
import { DaysOfGroups, slotsOf, type GroupDays } from './group-day.ts';
import { leafOf, levelsOf, parentOf, parseNode } from './group-tree.ts';
import type { TenantGroups } from './group-zones.ts';
import { NodeDays, nodeNotices, toldNodes } from './node-notices.ts';
import { readNodes, type NodeRead } from './node-reads.ts';

export interface NodePorts {
  readonly tickets: Tickets;
  readonly contributions: ContributionStore;
  readonly groups: TenantGroups;
}

/** What was read for one tenant of a group. */
export interface TenantNodes {
  readonly tenant: string;
  readonly ticket: number;
  readonly groups: GroupsSnapshot;
  readonly nodes: readonly NodeRead[];
}

export type NodeStage = Stage<AggregatesStored, readonly TenantNodes[], ContributionWrite>;

/**
 * Sums the nodes of groups' trees anew, each from what its children gave last: one read a node, however many notices told
 * of it. A branch hands its sum on to the node above it, a root to the groups that the group counts in, and to the stored
 * aggregates as the group's day. Levels only go up; the last one tells nobody.
 */
export function nodeStage(ports: NodePorts, { lane }: { readonly lane: Lane }): NodeStage {
  return {
    name: 'aggregation-nodes',
    decode: ({ payload }) => decodeAggregatesStored(payload),
    key: ({ tenant, key }) => `${tenant}/${key}`,
    origin: ({ tenant, causes }) => ({ tenant, causes, layers: [] }),
    read: (inputs) => readTenants(ports, inputs),
    handle: (_, reads) => Promise.resolve(handled(reads, lane)),
  };
}

async function readTenants(ports: NodePorts, inputs: readonly AggregatesStored[]): Promise<readonly TenantNodes[]> {
  const reads: TenantNodes[] = [];
  for (const [tenant, notices] of byTenant(inputs)) {
    // 1. The ticket, 2. the inputs: the other way round, a write announced in between could be lost.
    const ticket = await ports.tickets.take(tenant);
    const groups = await ports.groups.snapshot(tenant);
    const nodes = await readNodes(ports.contributions, tenant, toldNodes(notices));
    reads.push({ tenant, ticket, groups, nodes });
  }
  return reads;
}

function handled(reads: readonly TenantNodes[], lane: Lane): Handled<ContributionWrite> {
  const writes: ContributionWrite[] = [];
  const messages: OutgoingMessage[] = [];
  for (const read of reads) {
    const { tenant, ticket } = read;
    const pass = new NodePass(read);
    for (const node of read.nodes) {
      pass.sum(node);
    }
    const { cells, parents, sheets } = pass.finish();
    if (cells.length > 0) {
      writes.push({ tenant, ticket, cells });
    }
    messages.push(
      ...sheets.map((payload) => ({
        topic: topicName('aggregates', lane),
        payload,
        attributes: messageAttributes('AggregateBatch', tenant),
      })),
      ...nodeNotices(parents.all, { tenant, ticket, lane }),
    );
  }
  return { writes, messages };
}

/** The work on one tenant's nodes. */
class NodePass {
  readonly #read: TenantNodes;
  readonly #groups: DaysOfGroups;
  readonly #decoder = new ContributionDecoder();
  readonly #sum = new ContributionSum();
  readonly #share = new ContributionSum();
  readonly #builder = new AggregateBatchBuilder();
  readonly #cells: ContributionCell[] = [];
  readonly #parents = new NodeDays();
  readonly #sheets: Uint8Array[] = [];

  constructor(read: TenantNodes) {
    this.#read = read;
    this.#groups = new DaysOfGroups(read.groups);
  }

  sum(read: NodeRead): void {
    const { node, day } = read;
    const group = parseNode(node)?.group;
    const days = group === undefined ? undefined : this.#groups.of(group);
    if (days === undefined) {
      // Of a group that is not there any more.
      return;
    }
    const total = this.#total(read, days);
    const above = parentOf(node);
    if (above !== undefined) {
      this.#give({ node: above, day, child: node, content: encodeContribution(total) });
      return;
    }
    this.#appendSheet(days, total);
    for (const membership of this.#read.groups.parentsOf(days.definition.name)) {
      this.#giveParent(days, membership, total);
    }
  }

  finish(): { readonly cells: readonly ContributionCell[]; readonly parents: NodeDays; readonly sheets: Uint8Array[] } {
    this.#finishSheets();
    return { cells: this.#cells, parents: this.#parents, sheets: this.#sheets };
  }

  /**
   * Children of another kind than hang here, and what was given in slots or a unit that the group no longer has, are left
   * out: whoever changed the group has it all computed anew. Good until the next node's.
   */
  #total({ node, day, children }: NodeRead, days: GroupDays): Contribution {
    const slots = slotsOf(days, day);
    const isLeaf = parseNode(node)?.path.length === levelsOf(days.definition) - 1;
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
    return this.#sum.lend();
  }

  #appendSheet({ definition, calendar, former }: GroupDays, total: Contribution): void {
    const builder = this.#builder;
    const series = builder.series(groupMeter(definition.name), definition.channel);
    appendGroupSheet(builder, series, total);
    const span = { fromMs: total.startMs, toMs: total.endMs };
    appendFormerWindows(builder, { series, level: 'day', calendar, former, ...span });
    if (builder.sheetCount >= dayWindowsMax) {
      this.#finishSheets();
    }
  }

  #finishSheets(): void {
    if (this.#builder.sheetCount > 0) {
      const { tenant, ticket } = this.#read;
      // No causes: receipts tell of the readings' own series, and wait for no group.
      this.#sheets.push(encodeAggregateBatch(this.#builder.finish({ tenant, level: 'day', ticket, causes: [] })));
    }
  }

  #giveParent(days: GroupDays, { group, factor, fromMs, toMs }: Membership, total: Contribution): void {
    const parent = this.#groups.of(group);
    if (parent === undefined) {
      return;
    }
    const day = parent.calendar.dayOf(total.startMs);
    const slots = slotsOf(parent, day);
    const fitted = fittedContribution(total, { ...slots, unit: parent.unit, fromMs, toMs });
    const sum = this.#share;
    sum.reset(slots, parent.unit);
    if (fitted !== undefined) {
      sum.add(fitted, parseDecimal(factor));
    }
    const child = { meter: groupMeter(days.definition.name), channel: days.definition.channel };
    const content = encodeContribution(fitted === undefined ? emptyContribution(slots, parent.unit) : sum.lend());
    this.#give({ node: leafOf(parent.definition, child), day, child, content });
  }

  #give(cell: ContributionCell): void {
    this.#cells.push(cell);
    this.#parents.add({ node: cell.node, day: cell.day });
  }
}
