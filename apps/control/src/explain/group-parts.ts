import type { MsSpan, Resolution } from '@meterflow/aggregates';
import type { AggregateStore } from '@meterflow/idempotent-writes';
import { utcText, type SeriesName } from '@meterflow/readings';
import { groupMeter, type GroupsSnapshot, type Member } from '@meterflow/registry';
import { aggregateRows, type WindowRow } from '../aggregate-rows.ts';

/** What counts in a group's window: a series, or a whole group below it. */
export interface GroupPart extends SeriesName {
  /** Within the window, where it does not count in all of it: its aggregate is of the whole window all the same. */
  readonly from?: string;
  readonly to?: string;
  /** A decimal that its values are multiplied by; absent: 1. */
  readonly factor?: string;
  /** Its own window as queries answer it; null where there is none that begins and ends as the group's does. */
  readonly aggregate: object | null;
}

export interface GroupWindow extends MsSpan {
  readonly tenant: string;
  readonly group: string;
  readonly resolution: Resolution;
}

export interface GroupPartsPorts {
  readonly aggregates: Pick<AggregateStore, 'read'>;
  readonly nowMs: () => number;
}

export interface GroupParts {
  readonly parts: readonly GroupPart[];
  /** Where to go on; undefined after the last of them. */
  readonly next: string | undefined;
}

const readsAtOnceMax = 32;
/** So many parts, and no page more, are told at once. */
const partsToldMax = 1_000;
/** And so many pages of members, of some hundred series each, looked at: a filter may take one of a million. */
const pagesLookedAtMax = 40;

/**
 * What counts directly in a group's window, in the order of its members, as they are registered now, from the `next` of
 * what was told before on. Of a filter there may be none in what was looked at, and more behind it.
 */
export async function groupParts(
  ports: GroupPartsPorts,
  snapshot: GroupsSnapshot,
  { after, ...window }: GroupWindow & { readonly after?: string | undefined },
): Promise<GroupParts> {
  const members: Member[] = [];
  let next = after;
  for (let pages = 0; pages < pagesLookedAtMax && members.length < partsToldMax; pages++) {
    const page = await snapshot.membersPage(window.group, next);
    members.push(...page.members.filter(({ fromMs, toMs }) => fromMs < window.toMs && toMs > window.fromMs));
    next = page.next;
    if (next === undefined) {
      break;
    }
  }
  const parts: GroupPart[] = [];
  for (let from = 0; from < members.length; from += readsAtOnceMax) {
    const some = members.slice(from, from + readsAtOnceMax);
    parts.push(...(await Promise.all(some.map((member) => partOf(ports, { snapshot, window, member })))));
  }
  return { parts, next };
}

async function partOf(
  ports: GroupPartsPorts,
  each: { readonly snapshot: GroupsSnapshot; readonly window: GroupWindow; readonly member: Member },
): Promise<GroupPart> {
  const { fromMs, toMs, resolution, tenant } = each.window;
  const { of, factor, ...validity } = each.member;
  const series = 'meter' in of ? of : { meter: groupMeter(of.group), channel: channelOf(each.snapshot, of.group) };
  const rows = await aggregateRows(ports.aggregates, {
    ...{ tenant, ...series, resolution, nowMs: ports.nowMs() },
    ...{ fromMs, toMs: fromMs + 1 },
  });
  const own = rows.find((row: WindowRow) => row.startMs === fromMs && row.startMs + row.lengthMs === toMs);
  return {
    ...{ meter: series.meter, channel: series.channel },
    ...(validity.fromMs > fromMs ? { from: utcText(validity.fromMs) } : {}),
    ...(validity.toMs < toMs ? { to: utcText(validity.toMs) } : {}),
    ...(factor === '1' ? {} : { factor }),
    aggregate: own?.json ?? null,
  };
}

function channelOf(snapshot: GroupsSnapshot, group: string): string {
  return snapshot.group(group)?.channel ?? '';
}
