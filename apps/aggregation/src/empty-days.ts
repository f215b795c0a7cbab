import { SheetCursor, type AggregateBatch, type Calendar } from '@meterflow/aggregates';
import type { Cause } from '@meterflow/readings';
import { closedDaysToldMax, groupOfMeter, registerOfChannel } from '@meterflow/registry';
import { daysPerMessageMax, readDays, type CompletenessPorts, type TouchedDays } from './complete-windows.ts';
import type { MessagePlan } from './message-plan.ts';
import { readRuns } from './read-runs.ts';
import { calendarOfZone } from './series-zones.ts';
import { WindowSet, type WindowRun } from './window-set.ts';

/** The days after a run of days that were stored, up to the last one that is closed. */
interface Tail extends WindowRun {
  readonly causes: readonly Cause[];
  readonly calendar: Calendar;
}

/**
 * The closed days without an aggregate that follow those that were stored, up to the next that has one: whoever closed them
 * did not know of the series yet, where what was stored is the first of it. Else they were told before, and are told
 * again. Only what comes after its day was closed is looked at: a read of at most two months of rows for each run of days.
 */
export async function emptyDaysAfter(
  ports: Pick<CompletenessPorts, 'aggregates'>,
  touched: TouchedDays,
): Promise<TouchedDays> {
  const { tenant } = touched;
  const tails = tailsOf(touched);
  const windows = new WindowSet();
  tails.forEach((tail) => {
    windows.add(tail);
  });
  const days = await readRuns([{ causes: [], windows }], (run) => {
    const calendar = calendarOfZone(touched.zones.of(run.series.meter, run.series.channel));
    const span = { fromMs: calendar.dayStartMs(run.first), toMs: calendar.dayStartMs(run.end) };
    return readDays(ports, { tenant, series: run.series, ...span });
  });
  const empty = tails.map((tail) => ({ ...tail, end: firstStored(tail, days.of(tail)) }));
  return { ...touched, plans: plansOf(empty.filter(({ first, end }) => first < end)) };
}

function tailsOf({ plans, zones, closedThroughMs }: TouchedDays): readonly Tail[] {
  return plans.flatMap(({ causes, windows }) =>
    [...windows.runs()].flatMap(({ series, end: first }): readonly Tail[] => {
      const zone = zones.of(series.meter, series.channel);
      const closedMs = closedThroughMs.get(zone.timeZone) ?? -Infinity;
      // Closings tell of what has readings of its own.
      const isMade = groupOfMeter(series.meter) !== undefined || registerOfChannel(series.channel) !== undefined;
      if (isMade || !Number.isFinite(closedMs)) {
        return [];
      }
      const calendar = calendarOfZone(zone);
      const end = calendar.dayOf(closedMs);
      return first < end && first > end - closedDaysToldMax ? [{ series, first, end, causes, calendar }] : [];
    }),
  );
}

/** The first day of the tail that has an aggregate; its end where none has. */
function firstStored({ calendar, first, end }: Tail, days: AggregateBatch): number {
  let found = end;
  for (const cursor = new SheetCursor(days); cursor.next();) {
    const day = calendar.dayOf(cursor.startMs);
    if (cursor.rows > 0 && day >= first) {
      found = Math.min(found, day);
    }
  }
  return found;
}

/** Messages of so many days as one may tell of. */
function plansOf(runs: readonly Tail[]): readonly MessagePlan[] {
  const plans: MessagePlan[] = [];
  for (const { causes, ...run } of runs) {
    let plan = plans.at(-1);
    if (plan?.causes !== causes || plan.windows.count + run.end - run.first > daysPerMessageMax) {
      plan = { causes, windows: new WindowSet() };
      plans.push(plan);
    }
    plan.windows.add(run);
  }
  return plans;
}
