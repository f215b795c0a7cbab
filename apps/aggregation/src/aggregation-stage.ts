import { AggregateBatchBuilder, appendFormerWindows, calendarOf, dayMs, DaySheets } from '@meterflow/aggregates';
import {
  decodeStoredNotice,
  encodeAggregateBatch,
  messageAttributes,
  topicName,
  type Lane,
} from '@meterflow/contracts';
import type { ReadingStore, Segment, Tickets } from '@meterflow/idempotent-writes';
import type { ReadingColumns, StoredNotice } from '@meterflow/readings';
import type { Handled, OutgoingMessage, Stage } from '@meterflow/stage';
import { byTenant } from './by-tenant.ts';
import { inputsOf } from './inputs-of.ts';
import { localDay, messagePlans, type MessagePlan } from './message-plan.ts';
import { readRuns, sortedRuns, type RunReads } from './read-runs.ts';
import { notBillableOf, type SeriesZones, type ZonesSnapshot } from './series-zones.ts';
import { compareSeries, touchedParts, type TouchedPart } from './touched-parts.ts';
import type { WindowRun } from './window-set.ts';

/** So many day sheets, of 26 rows of 38 bytes and the longest names, come to 256 KB. */
export const dayWindowsMax = 180;

export interface AggregationPorts {
  readonly tickets: Tickets;
  /** The store of layer validated. */
  readonly readings: ReadingStore;
  readonly zones: SeriesZones;
}

/** What was read for one tenant of a group. */
export interface TenantReads {
  readonly tenant: string;
  readonly ticket: number;
  readonly zones: ZonesSnapshot;
  readonly plans: readonly MessagePlan[];
  readonly segments: RunReads<readonly Segment[]>;
}

export type AggregationStage = Stage<StoredNotice, readonly TenantReads[], never>;

/**
 * Computes hours and local days anew from the stored readings of every day that a group of notices touches.
 *
 * Two groups may compute one day at the same time: the higher ticket wins in the store, and whoever took it read after
 * every write that was announced before.
 */
export function aggregationStage(ports: AggregationPorts, { lane }: { readonly lane: Lane }): AggregationStage {
  const topic = topicName('aggregates', lane);
  return {
    name: 'aggregation',
    decode: ({ payload }) => decodeStoredNotice(payload),
    key: ({ tenant, key }) => `${tenant}/${key}`,
    origin: ({ tenant, causes }) => ({ tenant, causes, layers: ['hour', 'day', 'month'] }),
    read: (inputs) => readTenants(ports, inputs),
    handle: (inputs, reads) =>
      Promise.resolve({
        ...handled(reads, topic),
        messagesOf: inputsOf(
          reads.flatMap(({ plans }) => plans),
          inputs,
        ),
      }),
  };
}

async function readTenants(ports: AggregationPorts, inputs: readonly StoredNotice[]): Promise<readonly TenantReads[]> {
  // Raw readings are aggregated once the rules have passed on them.
  const tenants = byTenant(inputs.filter(({ layer }) => layer === 'validated'));
  const reads: TenantReads[] = [];
  for (const [tenant, notices] of tenants) {
    // 1. The ticket, 2. the inputs: the other way round, a write announced in between could be lost.
    const ticket = await ports.tickets.take(tenant);
    const zones = await ports.zones.snapshotOf(
      tenant,
      notices.flatMap(({ touched }) => touched.series),
    );
    const parts = notices.flatMap(({ touched, causes }) => touchedParts(touched, causes, dayWindowsMax));
    const plans = messagePlans(parts.sort(compareParts), zones, { windowOf: localDay, windowsMax: dayWindowsMax });
    const segments = await readRuns(plans, (run) => readDays(ports.readings, { tenant, zones, run }));
    reads.push({ tenant, ticket, zones, plans, segments });
  }
  return reads;
}

/** Parts about the same series come together, so that they share messages. */
function compareParts(a: TouchedPart, b: TouchedPart): number {
  const [left, right] = [a.touched, b.touched];
  const [leftSeries, rightSeries] = [left.series[left.index[0] ?? -1], right.series[right.index[0] ?? -1]];
  if (leftSeries === undefined || rightSeries === undefined) {
    return (leftSeries === undefined ? 0 : 1) - (rightSeries === undefined ? 0 : 1);
  }
  return compareSeries(leftSeries, rightSeries) || (left.fromMs[0] as number) - (right.fromMs[0] as number);
}

function readDays(
  readings: ReadingStore,
  { tenant, zones, run }: { readonly tenant: string; readonly zones: ZonesSnapshot; readonly run: WindowRun },
): Promise<readonly Segment[]> {
  const { meter, channel } = run.series;
  const calendar = calendarOf(zones.of(meter, channel).timeZone);
  return readings.read({
    tenant,
    meter,
    channel,
    layer: 'validated',
    fromMs: calendar.dayStartMs(run.first),
    toMs: calendar.dayStartMs(run.end),
  });
}

function handled(reads: readonly TenantReads[], topic: string): Handled<never> {
  const builder = new AggregateBatchBuilder();
  const sheets = new DaySheets();
  const messages = reads.flatMap((read) =>
    read.plans.map((plan): OutgoingMessage => {
      appendPlan(builder, sheets, { plan, read });
      const header = { tenant: read.tenant, level: 'day', ticket: read.ticket, causes: plan.causes } as const;
      const payload = encodeAggregateBatch(builder.finish(header));
      return { topic, payload, attributes: messageAttributes('AggregateBatch', read.tenant) };
    }),
  );
  return { writes: [], messages };
}

function appendPlan(
  builder: AggregateBatchBuilder,
  sheets: DaySheets,
  { plan, read }: { readonly plan: MessagePlan; readonly read: TenantReads },
): void {
  for (const run of sortedRuns(plan.windows, compareSeries)) {
    const { meter, channel } = run.series;
    const zone = read.zones.of(meter, channel);
    const { timeZone, intervals = [], formerTimeZones = [] } = zone;
    const calendar = calendarOf(timeZone);
    const request = {
      series: builder.series(meter, channel),
      calendar,
      firstDay: run.first,
      endDay: run.end,
      intervals,
      notBillableCodes: notBillableOf(zone),
    };
    const span = { fromMs: calendar.dayStartMs(run.first), toMs: calendar.dayStartMs(run.end) };
    sheets.append(builder, request, columnsWithin(read.segments.of(run), span));
    const former = formerTimeZones.map((each) => calendarOf(each));
    appendFormerWindows(builder, { series: request.series, level: 'day', calendar, former, ...span });
  }
}

/** The UTC days that a span touches. */
function columnsWithin(segments: readonly Segment[], span: { fromMs: number; toMs: number }): ReadingColumns[] {
  return segments
    .filter(({ day }) => (day + 1) * dayMs > span.fromMs && day * dayMs < span.toMs)
    .map(({ columns }) => columns);
}
