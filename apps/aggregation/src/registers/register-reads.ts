import { calendarOf, registerDaysOf, type RegisterDays } from '@meterflow/aggregates';
import type { ReadingStore, Segment } from '@meterflow/idempotent-writes';
import type { SeriesName } from '@meterflow/readings';
import type { CalendarsSnapshot, KnownCalendar } from '@meterflow/registry';
import type { TenantReads } from '../aggregation-stage.ts';
import { runsRead } from '../read-runs.ts';
import type { SeriesZone } from '../series-zones.ts';
import type { WindowRun } from '../window-set.ts';

/** Days of one calendar of a series that are to be computed: [firstDay, endDay). */
export interface RegisterRun {
  readonly series: SeriesName;
  readonly zone: SeriesZone;
  readonly calendar: string;
  readonly days: RegisterDays;
  readonly firstDay: number;
  readonly endDay: number;
  /** Registers that count, by their place in the plan; none where the series is not aggregated by it any more. */
  readonly registers: readonly string[];
  /** Those of which what is stored is to be withdrawn. */
  readonly former: readonly string[];
  readonly segments: readonly Segment[];
}

export interface TenantRegisters {
  readonly tenant: string;
  readonly ticket: number;
  readonly runs: readonly RegisterRun[];
}

/**
 * What the calendars of the series of a group of notices need: the readings that were read for hours and days, and more
 * where days begin at another time. Series without calendars cost a look-up.
 */
export async function readRegisters(
  readings: ReadingStore,
  read: TenantReads,
  calendars: CalendarsSnapshot,
): Promise<TenantRegisters> {
  const { tenant, ticket, zones, plans } = read;
  const runs: RegisterRun[] = [];
  for (const run of runsRead(plans)) {
    const zone = zones.of(run.series.meter, run.series.channel);
    const { calendars: own = [], formerCalendars = [] } = zone;
    for (const calendar of [...own, ...formerCalendars]) {
      const known = calendars.of(calendar);
      if (known !== undefined) {
        const isUsed = own.includes(calendar) && !known.isRemoved;
        runs.push(await registerRun({ readings, read, run, zone }, { calendar, known, isUsed }));
      }
    }
  }
  return { tenant, ticket, runs };
}

interface Source {
  readonly readings: ReadingStore;
  readonly read: TenantReads;
  readonly run: WindowRun;
  readonly zone: SeriesZone;
}

interface Asked {
  readonly calendar: string;
  readonly known: KnownCalendar;
  readonly isUsed: boolean;
}

async function registerRun(source: Source, { calendar, known, isUsed }: Asked): Promise<RegisterRun> {
  const { run, zone } = source;
  const days = registerDaysOf(known.plan, zone.timeZone);
  const { registers } = known.plan;
  const span = daysOf(source, days);
  return {
    ...{ series: run.series, zone, calendar, days, ...span },
    registers: isUsed ? registers : [],
    former: isUsed ? known.formerRegisters : [...new Set([...registers, ...known.formerRegisters])],
    segments: isUsed && span.firstDay < span.endDay ? await segmentsOf(source, days, span) : [],
  };
}

/** The days of the calendar that overlap the run's; none of them begins before 1970, as stores have none. */
function daysOf({ run, zone }: Source, { calendar }: RegisterDays): { firstDay: number; endDay: number } {
  if (calendar.dayStartsAtMs === 0) {
    return { firstDay: run.first, endDay: run.end };
  }
  const local = calendarOf(zone.timeZone);
  let firstDay = calendar.dayOf(local.dayStartMs(run.first));
  while (calendar.dayStartMs(firstDay) < 0) {
    firstDay += 1;
  }
  return { firstDay, endDay: calendar.dayOf(local.dayStartMs(run.end) - 1) + 1 };
}

/** What was read for the series' own days, where that is enough. */
async function segmentsOf(
  { readings, read, run }: Source,
  { calendar }: RegisterDays,
  { firstDay, endDay }: { readonly firstDay: number; readonly endDay: number },
): Promise<readonly Segment[]> {
  if (calendar.dayStartsAtMs === 0) {
    return read.segments.of(run);
  }
  const { meter, channel } = run.series;
  const [fromMs, toMs] = [calendar.dayStartMs(firstDay), calendar.dayStartMs(endDay)];
  return readings.read({ tenant: read.tenant, meter, channel, layer: 'validated', fromMs, toMs });
}
