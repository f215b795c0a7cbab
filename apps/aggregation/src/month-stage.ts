import {
  AggregateBatchBuilder,
  appendFormerWindows,
  appendMonthSheets,
  calendarOf,
  monthOfDay,
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
import type { Tickets } from '@meterflow/idempotent-writes';
import type { Stage } from '@meterflow/stage';
import { byTenant } from './by-tenant.ts';
import {
  completeMessages,
  readDays,
  touchedDays,
  type CompletenessPorts,
  type PlannedMessage,
  type TouchedDays,
} from './complete-windows.ts';
import { emptyDaysAfter } from './empty-days.ts';
import { inputsOf } from './inputs-of.ts';
import { localMonth, messagePlans, type MessagePlan } from './message-plan.ts';
import { readRuns, sortedRuns, type RunReads } from './read-runs.ts';
import { calendarOfZone, type SeriesZones, type ZonesSnapshot } from './series-zones.ts';
import { compareSeries } from './touched-parts.ts';
import type { WindowRun } from './window-set.ts';

/** So many month sheets, of one row and the longest names, come to 256 KB. */
const monthWindowsMax = 500;

export interface MonthPorts extends CompletenessPorts {
  readonly tickets: Tickets;
  readonly zones: SeriesZones;
}

/** What was read for one tenant of a group. */
export interface TenantDays {
  readonly tenant: string;
  readonly ticket: number;
  readonly zones: ZonesSnapshot;
  readonly plans: readonly MessagePlan[];
  readonly days: RunReads<AggregateBatch>;
  /** The days that the notices touch, which may be complete now. */
  readonly touched: TouchedDays;
  /** Closed days of which nothing came, and of which nobody may have told. */
  readonly empty: TouchedDays;
}

export type MonthStage = Stage<AggregatesStored, readonly TenantDays[], never>;

/** Where the messages of a lane go. */
interface Topics {
  readonly aggregates: string;
  readonly complete: string;
}

/**
 * Computes local months anew from the stored days of every month that a group of `aggregates.stored` touches, and tells on
 * `windows.complete` which of the touched days are whole or closed: what it read of them is stored.
 */
export function monthStage(ports: MonthPorts, { lane }: { readonly lane: Lane }): MonthStage {
  const topics = { aggregates: topicName('aggregates', lane), complete: topicName('windows.complete', lane) };
  return {
    name: 'aggregation-months',
    decode: ({ payload }) => decodeAggregatesStored(payload),
    key: ({ tenant, key }) => `${tenant}/${key}`,
    origin: ({ tenant, causes, level }) => ({ tenant, causes, layers: level === 'day' ? ['month'] : [] }),
    read: (inputs) => readTenants(ports, inputs),
    handle: (inputs, reads) => {
      const made = reads.flatMap((tenant) => [...monthMessages(tenant, topics), ...dayMessages(tenant, topics)]);
      const messages = made.map(({ message }) => message);
      return Promise.resolve({ writes: [], messages, messagesOf: inputsOf(made, inputs) });
    },
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
    const days = await readRuns(plans, ({ series, first, end }) => {
      const calendar = calendarOfZone(zones.of(series.meter, series.channel));
      const span = { fromMs: calendar.monthStartMs(first), toMs: calendar.monthStartMs(end) };
      return readDays(ports, { tenant, series, ...span });
    });
    const touched = await touchedDays(ports, zones, { tenant, notices });
    reads.push({ tenant, ticket, zones, plans, days, touched, empty: await emptyDaysAfter(ports, touched) });
  }
  return reads;
}

function monthMessages({ tenant, ticket, zones, plans, days }: TenantDays, topics: Topics): readonly PlannedMessage[] {
  const builder = new AggregateBatchBuilder();
  return plans.map(({ causes, windows }) => {
    for (const run of sortedRuns(windows, compareSeries)) {
      appendMonths(builder, zones, { run, days: days.of(run) });
    }
    const payload = encodeAggregateBatch(builder.finish({ tenant, level: 'month', ticket, causes }));
    const message = { topic: topics.aggregates, payload, attributes: messageAttributes('AggregateBatch', tenant) };
    return { causes, message };
  });
}

/** Days of a notice lie in the months that were read for it. */
function dayMessages({ touched, empty, days }: TenantDays, topics: Topics): readonly PlannedMessage[] {
  const sheetsOf = ({ series, first, end }: WindowRun): AggregateBatch =>
    days.of({ series, first: monthOfDay(first), end: monthOfDay(end - 1) + 1 });
  return [
    ...completeMessages(touched, { topic: topics.complete, sheetsOf }),
    ...completeMessages(empty, { topic: topics.complete, sheetsOf: () => nothing }),
  ];
}

const nothing = new AggregateBatchBuilder().finish({ tenant: '', level: 'day', ticket: 0, causes: [] });

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
