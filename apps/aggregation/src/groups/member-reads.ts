import { calendarOf, dayMs, type MemberStretch, type RegisteredIntervals } from '@meterflow/aggregates';
import type { ReadingStore, Segment } from '@meterflow/idempotent-writes';
import type { ReadingColumns, SeriesName } from '@meterflow/readings';
import type { GroupsSnapshot, Membership } from '@meterflow/registry';
import type { TenantReads } from '../aggregation-stage.ts';
import type { SeriesZone } from '../series-zones.ts';
import { runsRead } from '../read-runs.ts';
import { seriesPath, type WindowRun } from '../window-set.ts';
import { DaysOfGroups, slotsOf, type GroupDays } from './group-day.ts';
import { leafOf } from './group-tree.ts';
import { beginsAt, overDays, reachesInto, type OverDays } from './over-days.ts';

/** What a series gives a group over one of its days, still to be computed. */
export interface MemberDay {
  readonly series: SeriesName;
  readonly days: GroupDays;
  /** Where it hangs in the group's tree. */
  readonly node: SeriesName;
  readonly day: number;
  /** By factor, when it is a member. Empty where it is none on this day, and is to leave. */
  readonly spans: ReadonlyMap<string, readonly MemberStretch[]>;
  readonly columns: readonly ReadingColumns[];
}

export interface TenantMembers {
  readonly tenant: string;
  readonly ticket: number;
  readonly members: readonly MemberDay[];
}

/** Windows that somebody ordered to be computed anew: there, series leave groups that they are not in. */
export type IsOrdered = (series: SeriesName) => boolean;

/**
 * What the series of a group of notices give the groups that they belong to: their days of each group that the windows
 * touch which were read for the series themselves, and those that their readings reach into. Where a group has other days
 * than the series, more is read.
 */
export async function readMembers(
  readings: ReadingStore,
  read: TenantReads,
  { snapshot, isOrdered }: { readonly snapshot: GroupsSnapshot; readonly isOrdered: IsOrdered },
): Promise<TenantMembers> {
  const { tenant, ticket } = read;
  const runs = runsRead(read.plans);
  const series = [...new Map(runs.map((run) => [seriesPath(run.series), run.series])).values()];
  const memberships = await snapshot.membershipsOf(series);
  const groups = new DaysOfGroups(snapshot);
  const ofSeries = new Map(series.map((each, index) => [seriesPath(each), memberships[index] ?? []]));
  const members: MemberDay[] = [];
  for (const run of runs) {
    const own = byGroup(ofSeries.get(seriesPath(run.series)) ?? []);
    for (const [name, held] of own) {
      const days = groups.of(name);
      if (days !== undefined) {
        const source = { readings, read, run, days };
        members.push(...(await memberDays(source, held, isOrdered(run.series))));
      }
    }
  }
  return { tenant, ticket, members };
}

interface Source {
  readonly readings: ReadingStore;
  readonly read: TenantReads;
  readonly run: WindowRun;
  readonly days: GroupDays;
}

interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

async function memberDays(source: Source, held: readonly Membership[], isOrdered: boolean): Promise<MemberDay[]> {
  const { read, run, days } = source;
  const { meter, channel } = run.series;
  const zone = read.zones.of(meter, channel);
  const calendar = calendarOf(zone.timeZone);
  const span = { fromMs: calendar.dayStartMs(run.first), toMs: calendar.dayStartMs(run.end) };
  const own = read.segments.of(run);
  const over = overDays(days, { own, span, intervals: zone.intervals ?? [], isOrdered });
  const node = leafOf(days.definition, run.series);
  const wanted: Omit<MemberDay, 'columns'>[] = [];
  for (let day = over.first; day < over.end; day++) {
    const { startMs, endMs } = slotsOf(days, day);
    const spans = spansWithin(held, zone, { fromMs: startMs - over.longestMs, toMs: endMs });
    if (startMs >= 0 && startMs < endMs && (spans.size > 0 || isOrdered)) {
      wanted.push({ series: run.series, days, node, day, spans });
    }
  }
  const isRead = wanted.every(({ spans }) => spans.size === 0);
  const segments = isRead ? [] : await segmentsOver(source, over, span);
  return wanted.map((member) => {
    const slots = slotsOf(days, member.day);
    const columns = columnsOf(segments, { ...slots, startMs: slots.startMs - over.longestMs });
    // Beyond what was told there is only what reaches there, or did: of days in which nothing came, nothing is expected.
    const isBeyond = slots.startMs >= span.toMs && !reachesInto(columns, slots);
    return { ...member, columns, ...(isBeyond ? { spans: new Map() } : {}) };
  });
}

/** What was read for the series' own days, and before and behind them what the group's days hold of others. */
async function segmentsOver(
  { readings, read, run, days }: Source,
  { first, end, longestMs }: OverDays,
  span: Span,
): Promise<readonly Segment[]> {
  const own = read.segments.of(run);
  const startMs = days.calendar.dayStartMs(first);
  const fromMs = startMs - (beginsAt(own, { startMs, longestMs }) ? 0 : longestMs);
  const toMs = days.calendar.dayStartMs(end);
  const { meter, channel } = run.series;
  const beside = (some: Span): Promise<readonly Segment[]> =>
    some.fromMs < some.toMs
      ? readings.read({ tenant: read.tenant, meter, channel, layer: 'validated', ...some })
      : Promise.resolve([]);
  const before = await beside({ fromMs, toMs: span.fromMs });
  const behind = await beside({ fromMs: span.toMs, toMs });
  return [...before, ...own, ...behind];
}

function columnsOf(
  segments: readonly Segment[],
  { startMs, endMs }: { readonly startMs: number; readonly endMs: number },
): readonly ReadingColumns[] {
  return segments.filter(({ day }) => (day + 1) * dayMs > startMs && day * dayMs < endMs).map(({ columns }) => columns);
}

function byGroup(memberships: readonly Membership[]): Map<string, Membership[]> {
  const groups = new Map<string, Membership[]>();
  for (const membership of memberships) {
    const known = groups.get(membership.group);
    if (known === undefined) {
      groups.set(membership.group, [membership]);
    } else {
      known.push(membership);
    }
  }
  return groups;
}

/** By factor, the stretches of a day, and of what may reach into it, in which the series is a member, each with one registered interval. */
function spansWithin(held: readonly Membership[], zone: SeriesZone, day: Span): ReadonlyMap<string, MemberStretch[]> {
  const spans = new Map<string, MemberStretch[]>();
  for (const { fromMs, toMs, factor } of held) {
    const within = { fromMs: Math.max(fromMs, day.fromMs), toMs: Math.min(toMs, day.toMs) };
    if (within.fromMs < within.toMs) {
      const known = spans.get(factor) ?? [];
      spans.set(factor, known);
      known.push(...stretchesOf(zone.intervals ?? [], within));
    }
  }
  return spans;
}

function stretchesOf(intervals: RegisteredIntervals, { fromMs, toMs }: Span): MemberStretch[] {
  const changes = intervals.filter((each) => each.fromMs > fromMs && each.fromMs < toMs);
  const bounds = [fromMs, ...changes.map((each) => each.fromMs), toMs];
  return bounds.slice(1).map((endMs, index) => {
    const startMs = bounds[index] as number;
    const intervalMs = intervals.findLast((each) => each.fromMs <= startMs)?.intervalMs;
    return { fromMs: startMs, toMs: endMs, intervalMs };
  });
}
