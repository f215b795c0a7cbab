import {
  AggregateBatchBuilder,
  appendFormerWindows,
  appendMonthSheets,
  calendarOf,
  type AggregateBatch,
  type AggregatesStored,
} from '@meterflow/aggregates';
import {
  decodeAggregatesStored,
  encodeAggregateBatch,
  messageAttributes,
  topicName,
  type Lane,
} from '@meterflow/contracts';
import type { AggregateStore, Tickets } from '@meterflow/idempotent-writes';
import type { Handled, OutgoingMessage, Stage } from '@meterflow/stage';
import { byTenant } from './by-tenant.ts';
import { inputsOf } from './inputs-of.ts';
import { localMonth, messagePlans, type MessagePlan } from './message-plan.ts';
import { readRuns, sortedRuns, type RunReads } from './read-runs.ts';
import { calendarOfZone, type SeriesZones, type ZonesSnapshot } from './series-zones.ts';
import { compareSeries } from './touched-parts.ts';
import type { WindowRun } from './window-set.ts';

/** So many month sheets, of one row and the longest names, come to 256 KB. */
const monthWindowsMax = 500;

export interface MonthPorts {
  readonly tickets: Tickets;
  readonly aggregates: AggregateStore;
  readonly zones: SeriesZones;
}

/** What was read for one tenant of a group. */
export interface TenantDays {
  readonly tenant: string;
  readonly ticket: number;
  readonly zones: ZonesSnapshot;
  readonly plans: readonly MessagePlan[];
  readonly days: RunReads<AggregateBatch>;
}

export type MonthStage = Stage<AggregatesStored, readonly TenantDays[], never>;

/** Computes local months anew from the stored days of every month that a group of `aggregates.stored` touches. */
export function monthStage(ports: MonthPorts, { lane }: { readonly lane: Lane }): MonthStage {
  const topic = topicName('aggregates', lane);
  return {
    name: 'aggregation-months',
    decode: ({ payload }) => decodeAggregatesStored(payload),
    key: ({ tenant, key }) => `${tenant}/${key}`,
    origin: ({ tenant, causes, level }) => ({ tenant, causes, layers: level === 'day' ? ['month'] : [] }),
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

async function readTenants(ports: MonthPorts, inputs: readonly AggregatesStored[]): Promise<readonly TenantDays[]> {
  // Months have no parents yet.
  const tenants = byTenant(inputs.filter(({ level }) => level === 'day'));
  const reads: TenantDays[] = [];
  for (const [tenant, notices] of tenants) {
    // 1. The ticket, 2. the inputs: the other way round, a write announced in between could be lost.
    const ticket = await ports.tickets.take(tenant);
    const zones = await ports.zones.snapshotOf(
      tenant,
      notices.flatMap(({ touched }) => touched.series),
    );
    const plans = messagePlans(notices, zones, { windowOf: localMonth, windowsMax: monthWindowsMax });
    const days = await readRuns(plans, (run) => readDays(ports.aggregates, { tenant, zones, run }));
    reads.push({ tenant, ticket, zones, plans, days });
  }
  return reads;
}

function readDays(
  aggregates: AggregateStore,
  { tenant, zones, run }: { readonly tenant: string; readonly zones: ZonesSnapshot; readonly run: WindowRun },
): Promise<AggregateBatch> {
  const { meter, channel } = run.series;
  const calendar = calendarOfZone(zones.of(meter, channel));
  return aggregates.read({
    tenant,
    meter,
    channel,
    level: 'day',
    rows: 'whole',
    fromMs: calendar.monthStartMs(run.first),
    toMs: calendar.monthStartMs(run.end),
  });
}

function handled(reads: readonly TenantDays[], topic: string): Handled<never> {
  const builder = new AggregateBatchBuilder();
  const messages = reads.flatMap(({ tenant, ticket, zones, plans, days }) =>
    plans.map(({ causes, windows }): OutgoingMessage => {
      for (const run of sortedRuns(windows, compareSeries)) {
        appendMonths(builder, zones, { run, days: days.of(run) });
      }
      const payload = encodeAggregateBatch(builder.finish({ tenant, level: 'month', ticket, causes }));
      return { topic, payload, attributes: messageAttributes('AggregateBatch', tenant) };
    }),
  );
  return { writes: [], messages };
}

function appendMonths(
  builder: AggregateBatchBuilder,
  zones: ZonesSnapshot,
  { run, days }: { readonly run: WindowRun; readonly days: AggregateBatch },
): void {
  const { meter, channel } = run.series;
  const zone = zones.of(meter, channel);
  const { intervals = [], formerTimeZones = [], dayStartsAtMs, covered } = zone;
  const calendar = calendarOfZone(zone);
  const series = builder.series(meter, channel);
  const request = { series, calendar, intervals, firstMonth: run.first, endMonth: run.end };
  appendMonthSheets(builder, covered === undefined ? request : { ...request, covered }, days);
  const span = { fromMs: calendar.monthStartMs(run.first), toMs: calendar.monthStartMs(run.end) };
  const former = formerTimeZones.map((each) => calendarOf(each, dayStartsAtMs));
  appendFormerWindows(builder, { series, level: 'month', calendar, former, ...span });
}
