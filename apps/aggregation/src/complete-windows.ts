import { CompleteDays, type AggregateBatch } from '@meterflow/aggregates';
import { encodeWindowsComplete, messageAttributes } from '@meterflow/contracts';
import type { AggregateStore } from '@meterflow/idempotent-writes';
import type { Cause, SeriesName } from '@meterflow/readings';
import type { ClosedDaysRegistry } from '@meterflow/registry';
import type { OutgoingMessage } from '@meterflow/stage';
import { localDay, messagePlans, type MessagePlan } from './message-plan.ts';
import { sortedRuns } from './read-runs.ts';
import { calendarOfZone, type ZonesSnapshot } from './series-zones.ts';
import { compareSeries, type TouchedPart } from './touched-parts.ts';
import type { WindowRun } from './window-set.ts';

/** So many days, of the longest names, come to 400 KB. */
export const daysPerMessageMax = 2_000;

/** Where completeness stands. */
export interface CompletenessPorts {
  readonly aggregates: AggregateStore;
  readonly closedDays: Pick<ClosedDaysRegistry, 'of'>;
}

/** The days of one tenant that may have become whole or closed, and how far days are closed in the zones of their series. */
export interface TouchedDays {
  readonly tenant: string;
  readonly zones: ZonesSnapshot;
  readonly plans: readonly MessagePlan[];
  readonly closedThroughMs: ReadonlyMap<string, number>;
}

/**
 * The days that notices touch. How far days are closed is read after the notices came, so after what they tell of was
 * stored: a day that is being closed meanwhile is told by this, or by whoever closes it, who then sees what is stored.
 */
export async function touchedDays(
  { closedDays }: Pick<CompletenessPorts, 'closedDays'>,
  zones: ZonesSnapshot,
  { tenant, notices }: { readonly tenant: string; readonly notices: readonly TouchedPart[] },
): Promise<TouchedDays> {
  const plans = messagePlans(notices, zones, { windowOf: localDay, windowsMax: daysPerMessageMax });
  const names = new Set(
    notices.flatMap(({ touched }) => touched.series.map(({ meter, channel }) => zones.of(meter, channel).timeZone)),
  );
  const closedThroughMs = new Map<string, number>();
  for (const timeZone of names) {
    closedThroughMs.set(timeZone, (await closedDays.of(tenant, timeZone))?.closedThroughMs ?? -Infinity);
  }
  return { tenant, zones, plans, closedThroughMs };
}

/** The whole days of a span that are stored of a series. */
export function readDays(
  { aggregates }: Pick<CompletenessPorts, 'aggregates'>,
  { tenant, series: { meter, channel }, fromMs, toMs }: DaysSpan,
): Promise<AggregateBatch> {
  return aggregates.read({ tenant, meter, channel, level: 'day', rows: 'whole', fromMs, toMs });
}

interface DaysSpan {
  readonly tenant: string;
  readonly series: SeriesName;
  readonly fromMs: number;
  readonly toMs: number;
}

/** One message for each plan with a day that is whole or closed; `sheetsOf` has what is stored of a run of days. */
export function completeMessages(
  { tenant, zones, plans, closedThroughMs }: TouchedDays,
  { topic, sheetsOf }: { readonly topic: string; readonly sheetsOf: (days: WindowRun) => AggregateBatch },
): readonly PlannedMessage[] {
  return plans.flatMap(({ windows, causes }) => {
    const complete = new CompleteDays();
    for (const run of sortedRuns(windows, compareSeries)) {
      const { series, first, end } = run;
      const zone = zones.of(series.meter, series.channel);
      const { intervals = [], covered } = zone;
      const days = { series, calendar: calendarOfZone(zone), intervals, firstDay: first, endDay: end };
      const closed = { closedThroughMs: closedThroughMs.get(zone.timeZone) ?? -Infinity };
      complete.append({ ...days, ...closed, ...(covered === undefined ? {} : { covered }) }, sheetsOf(run));
    }
    const told = complete.finish(tenant);
    return told === undefined ? [] : [{ causes, message: outgoing(encodeWindowsComplete(told), topic, tenant) }];
  });
}

/** What is published, and what led to it. */
export interface PlannedMessage {
  readonly causes: readonly Cause[];
  readonly message: OutgoingMessage;
}

function outgoing(payload: Uint8Array, topic: string, tenant: string): OutgoingMessage {
  return { topic, payload, attributes: messageAttributes('WindowsComplete', tenant) };
}
