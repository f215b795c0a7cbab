import { ContributionSum, MemberContribution, type Contribution } from '@meterflow/aggregates';
import type { Lane } from '@meterflow/contracts';
import {
  encodeContribution,
  type ContributionCell,
  type ContributionWrite,
  type ReadingStore,
} from '@meterflow/idempotent-writes';
import { parseDecimal, type SeriesName, type StoredNotice } from '@meterflow/readings';
import type { OutgoingMessage, Stage } from '@meterflow/stage';
import type { AggregationStage, TenantReads } from '../aggregation-stage.ts';
import { seriesPath } from '../window-set.ts';
import { slotsOf } from './group-day.ts';
import type { TenantGroups } from './group-zones.ts';
import { readMembers, type MemberDay, type TenantMembers } from './member-reads.ts';
import { NodeDays, nodeNotices } from './node-notices.ts';

export interface MemberPorts {
  /** The store of layer validated. */
  readonly readings: ReadingStore;
  readonly groups: TenantGroups;
}

export interface MemberReads {
  readonly days: readonly TenantReads[];
  /** Of tenants that have groups. */
  readonly members: readonly TenantMembers[];
}

export type MemberStage = Stage<StoredNotice, MemberReads, ContributionWrite>;

/**
 * The stage of hours and days, which also computes what their series give the groups that they belong to, from the same
 * reads and under the same ticket. It writes that into the groups' trees, then tells the nodes. A tenant without groups
 * costs nothing more.
 *
 * A notice without causes is an order to compute anew: there a series also leaves the groups that it is not in.
 */
export function memberStage(
  days: AggregationStage,
  { groups, readings }: MemberPorts,
  { lane }: { readonly lane: Lane },
): MemberStage {
  return {
    ...days,
    read: async (inputs) => {
      // The ticket is taken in here, before anything is read: the groups are looked at after it as well.
      const reads = await days.read(inputs);
      const members: TenantMembers[] = [];
      for (const read of reads) {
        const snapshot = await groups.snapshot(read.tenant);
        if (snapshot.hasGroups) {
          members.push(await readMembers(readings, read, { snapshot, isOrdered: orderedOf(inputs, read.tenant) }));
        }
      }
      return { days: reads, members };
    },
    handle: async (inputs, reads) => {
      const handled = await days.handle(inputs, reads.days);
      const given = givenBy(reads.members, lane);
      const all = [...inputs.keys()];
      return {
        ...handled,
        writes: given.writes,
        messages: [...handled.messages, ...given.messages],
        ...(handled.messagesOf === undefined
          ? {}
          : { messagesOf: [...handled.messagesOf, ...given.messages.map(() => all)] }),
      };
    },
  };
}

function orderedOf(inputs: readonly StoredNotice[], tenant: string): (series: SeriesName) => boolean {
  const ordered = new Set<string>();
  for (const { touched, causes, tenant: own } of inputs) {
    if (own === tenant && causes.length === 0) {
      touched.series.forEach((series) => ordered.add(seriesPath(series)));
    }
  }
  return (series) => ordered.has(seriesPath(series));
}

function givenBy(
  tenants: readonly TenantMembers[],
  lane: Lane,
): { readonly writes: readonly ContributionWrite[]; readonly messages: readonly OutgoingMessage[] } {
  const giving = new Giving();
  const writes: ContributionWrite[] = [];
  const messages: OutgoingMessage[] = [];
  for (const { tenant, ticket, members } of tenants) {
    const nodes = new NodeDays();
    const cells = members.map((member): ContributionCell => {
      const { series, node, day } = member;
      nodes.add({ node, day });
      return { node, day, child: series, content: encodeContribution(giving.of(member)) };
    });
    if (cells.length > 0) {
      writes.push({ tenant, ticket, cells });
      messages.push(...nodeNotices(nodes.all, { tenant, ticket, lane }));
    }
  }
  return { writes, messages };
}

/** What members give, one after the other: each is good until the next one's. */
class Giving {
  readonly #member = new MemberContribution();
  readonly #sum = new ContributionSum();

  of({ days, day, spans, columns }: MemberDay): Contribution {
    const slots = slotsOf(days, day);
    const { unit } = days;
    const stretches = spans.get('1');
    if (stretches !== undefined && spans.size === 1) {
      return this.#member.lend({ ...slots, unit, stretches }, columns);
    }
    this.#sum.reset(slots, unit);
    for (const [factor, some] of spans) {
      this.#sum.add(this.#member.lend({ ...slots, unit, stretches: some }, columns), parseDecimal(factor));
    }
    return this.#sum.lend();
  }
}
