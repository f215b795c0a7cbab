import {
  AggregateBatchBuilder,
  appendMonthSheets,
  calendarOf,
  DaySheets,
  monthOfDay,
  registerDaysOf,
  RegisterSheets,
  type AggregateBatch,
  type Calendar,
  type RegisterDays,
} from '@meterflow/aggregates';
import { Problem } from '@meterflow/http';
import type { AggregateStore, KnownBy, Segment, SeriesSheets } from '@meterflow/idempotent-writes';
import { groupMeterPrefix, type SeriesName } from '@meterflow/readings';
import { registerOfChannel } from '@meterflow/registry';
import type { ControlPorts } from '../ports.ts';
import { readingsAsOf, type ReadingsAsOfPorts } from './readings-as-of.ts';

export type AsOfPorts = Pick<ControlPorts, 'series' | 'calendars'> & ReadingsAsOfPorts;

/**
 * The aggregates of a series, or of a register of it, as they were known: computed when they are asked for, from the
 * readings that were known, by the zone, the intervals, the calendar and the codes not to be billed that are registered now.
 * What readings are not kept of any more can't be computed, nor can groups: then Problem `unprocessable-content`.
 */
export function aggregatesAsOf(ports: AsOfPorts, known: KnownBy): Pick<AggregateStore, 'read'> {
  const readings = readingsAsOf(ports, known).readings('validated');
  return {
    read: async (asked) => {
      if (asked.meter.startsWith(groupMeterPrefix)) {
        const detail = 'of groups is not kept what was known earlier: leave out `asOf`, or ask for their members';
        throw new Problem('unprocessable-content', detail);
      }
      const source = await sourceOf(ports, asked);
      const builder = new AggregateBatchBuilder();
      if (source === undefined) {
        return builder.finish({ tenant: asked.tenant, level: asked.level, ticket: 0, causes: [] });
      }
      const { calendar } = source;
      const months = asked.level === 'month' ? startingMonths(calendar, asked) : undefined;
      const { firstDay, endDay } = months === undefined ? startingDays(calendar, asked) : daysOf(calendar, months);
      const [fromMs, toMs] = [calendar.dayStartMs(firstDay), calendar.dayStartMs(endDay)];
      const { tenant } = asked;
      const segments = await readings.read({ tenant, ...source.series, layer: 'validated', fromMs, toMs });
      appendDays(builder, { asked, source, firstDay, endDay }, segments);
      const sheets = builder.finish({ tenant, level: 'day', ticket: 0, causes: [] });
      return months === undefined ? sheets : monthsOf(sheets, { asked, source, ...months });
    },
  };
}

/** What aggregates are computed of, and how. */
interface Source {
  /** Whose readings they are. */
  readonly series: SeriesName;
  readonly settings: Awaited<ReturnType<ControlPorts['series']['current']>>;
  readonly calendar: Calendar;
  /** Of a register of the series. */
  readonly register?: { readonly index: number; readonly days: RegisterDays };
}

/** Undefined for a register that the series does not have now: nothing is stored of it either. */
async function sourceOf(
  { series: registry, calendars }: AsOfPorts,
  { tenant, meter, channel }: SeriesSheets,
): Promise<Source | undefined> {
  const register = registerOfChannel(channel);
  const series = { meter, channel: register?.channel ?? channel };
  const settings = await registry.current(tenant, series);
  if (register === undefined) {
    return { series, settings, calendar: calendarOf(settings.timeZone) };
  }
  const known = (await calendars.snapshot(tenant)).of(register.calendar);
  const index = known?.plan.registers.indexOf(register.register) ?? -1;
  if (known === undefined || known.isRemoved || index < 0 || !settings.calendars.includes(register.calendar)) {
    return undefined;
  }
  const days = registerDaysOf(known.plan, settings.timeZone);
  return { series, settings, calendar: days.calendar, register: { index, days } };
}

interface DaysAsked {
  readonly asked: SeriesSheets;
  readonly source: Source;
  readonly firstDay: number;
  readonly endDay: number;
}

function appendDays(
  builder: AggregateBatchBuilder,
  { asked, source: { settings, calendar, register }, firstDay, endDay }: DaysAsked,
  segments: readonly Segment[],
): void {
  const series = builder.series(asked.meter, asked.channel);
  const { intervals } = settings;
  const request = { firstDay, endDay, intervals, notBillableCodes: new Set(settings.notBillableCodes) };
  const columns = segments.map((segment) => segment.columns);
  if (register === undefined) {
    new DaySheets().append(builder, { ...request, series, calendar }, columns);
  } else {
    const { index, days } = register;
    const only = Array.from({ length: index + 1 }, (_, each) => (each === index ? series : undefined));
    new RegisterSheets().append(builder, { ...request, series: only, days }, columns);
  }
}

interface MonthsAsked {
  readonly asked: SeriesSheets;
  readonly source: Source;
  readonly firstMonth: number;
  readonly endMonth: number;
}

function monthsOf(
  days: AggregateBatch,
  { asked: { tenant, meter, channel }, source, firstMonth, endMonth }: MonthsAsked,
): AggregateBatch {
  const { calendar, register } = source;
  const { intervals } = source.settings;
  const builder = new AggregateBatchBuilder();
  const series = builder.series(meter, channel);
  const request = { series, calendar, intervals, firstMonth, endMonth };
  const covered = register && ((span: Span) => register.days.covered(register.index, span));
  appendMonthSheets(builder, covered === undefined ? request : { ...request, covered }, days);
  return builder.finish({ tenant, level: 'month', ticket: 0, causes: [] });
}

interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** The days that start in the span. */
function startingDays(
  calendar: Calendar,
  { fromMs, toMs }: Span,
): { readonly firstDay: number; readonly endDay: number } {
  return { firstDay: calendar.dayOf(fromMs - 1) + 1, endDay: calendar.dayOf(toMs - 1) + 1 };
}

function startingMonths(
  calendar: Calendar,
  { fromMs, toMs }: Span,
): { readonly firstMonth: number; readonly endMonth: number } {
  const after = (instantMs: number): number => monthOfDay(calendar.dayOf(instantMs - 1)) + 1;
  return { firstMonth: after(fromMs), endMonth: after(toMs) };
}

function daysOf(
  calendar: Calendar,
  { firstMonth, endMonth }: { readonly firstMonth: number; readonly endMonth: number },
): { readonly firstDay: number; readonly endDay: number } {
  return {
    firstDay: calendar.dayOf(calendar.monthStartMs(firstMonth)),
    endDay: calendar.dayOf(calendar.monthStartMs(endMonth)),
  };
}
