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
import { leafOf, parentOf, parseNode } from './group-tree.ts';
import type { TenantGroups } from './group-zones.ts';
import { NodeDays, nodeNotices, toldNodes } from './node-notices.ts';
import { readNodes, type NodeRead, type SumNode } from './node-reads.ts';
import { NodeSums } from './node-sums.ts';

export interface NodePorts {
  readonly tickets: Tickets;
  readonly contributions: ContributionStore;
  readonly groups: TenantGroups;
}

/** What was read for one tenant of a group. */
export interface TenantNodes {
  readonly tenant: string;
  readonly ticket: number;
  readonly snapshot: GroupsSnapshot;
  readonly groups: DaysOfGroups;
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
    const snapshot = await ports.groups.snapshot(tenant);
    const groups = new DaysOfGroups(snapshot);
    const sums = new NodeSums(groups);
    const sum: SumNode = (node, children) => sums.of(node, children);
    const nodes = await readNodes(ports.contributions, { tenant, nodes: toldNodes(notices), sum });
    reads.push({ tenant, ticket, snapshot, groups, nodes });
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
      pass.hand(node);
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
  readonly #share = new ContributionSum();
  readonly #builder = new AggregateBatchBuilder();
  readonly #cells: ContributionCell[] = [];
  readonly #parents = new NodeDays();
  readonly #sheets: Uint8Array[] = [];

  constructor(read: TenantNodes) {
    this.#read = read;
  }

  /** Hands a node's sum on to what is above it. */
  hand({ node, day, total }: NodeRead): void {
    const days = this.#read.groups.of(parseNode(node)?.group ?? '');
    if (total === undefined || days === undefined) {
      return;
    }
    const above = parentOf(node);
    if (above !== undefined) {
      this.#give({ node: above, day, child: node, content: encodeContribution(total) });
      return;
    }
    this.#appendSheet(days, total);
    for (const membership of this.#read.snapshot.parentsOf(days.definition.name)) {
      this.#giveParent(days, membership, total);
    }
  }

  finish(): { readonly cells: readonly ContributionCell[]; readonly parents: NodeDays; readonly sheets: Uint8Array[] } {
    this.#finishSheets();
    return { cells: this.#cells, parents: this.#parents, sheets: this.#sheets };
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
    const parent = this.#read.groups.of(group);
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
