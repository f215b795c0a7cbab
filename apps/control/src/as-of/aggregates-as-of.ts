import {
  AggregateBatchBuilder,
  appendMonthSheets,
  calendarOf,
  DaySheets,
  monthOfDay,
  type AggregateBatch,
  type Calendar,
} from '@meterflow/aggregates';
import { Problem } from '@meterflow/http';
import type { AggregateStore, KnownBy, SeriesSheets } from '@meterflow/idempotent-writes';
import { groupMeterPrefix, registerChannelMark, utcText } from '@meterflow/readings';
import { dayMs } from '../query-span.ts';
import type { ControlPorts } from '../ports.ts';

export type AsOfPorts = Pick<ControlPorts, 'history' | 'series' | 'nowMs' | 'readingsRetentionMs'>;

/** A reading is in the local day that it starts in; nowhere is a day further from its UTC day. */
const zoneReachMs = 2 * dayMs;

/**
 * The aggregates of a series as they were known: computed when they are asked for, from the readings that were known, by
 * the zone, the intervals and the codes not to be billed that are registered now. What readings are not kept of any more
 * can't be computed, nor can groups, nor registers of calendars: then Problem `unprocessable-content`.
 */
export function aggregatesAsOf(ports: AsOfPorts, known: KnownBy): Pick<AggregateStore, 'read'> {
  return {
    read: async (asked) => {
      if (asked.meter.startsWith(groupMeterPrefix)) {
        const detail = 'of groups is not kept what was known earlier: leave out `asOf`, or ask for their members';
        throw new Problem('unprocessable-content', detail);
      }
      if (asked.channel.includes(registerChannelMark)) {
        const detail =
          'of registers of a calendar is not kept what was known earlier: leave out `asOf`, or ask for the channel';
        throw new Problem('unprocessable-content', detail);
      }
      const { timeZone, intervals, notBillableCodes } = await ports.series.current(asked.tenant, asked);
      const calendar = calendarOf(timeZone);
      const months = asked.level === 'month' ? startingMonths(calendar, asked) : undefined;
      const days = months === undefined ? startingDays(calendar, asked) : daysOf(calendar, months);
      const builder = new AggregateBatchBuilder();
      await appendDays(ports, builder, { asked, known, calendar, intervals, notBillableCodes, ...days });
      const sheets = builder.finish({ tenant: asked.tenant, level: 'day', ticket: 0, causes: [] });
      return months === undefined ? sheets : monthsOf(sheets, { asked, calendar, intervals, ...months });
    },
  };
}

type Settings = Awaited<ReturnType<ControlPorts['series']['current']>>;

interface DaysAsked {
  readonly asked: SeriesSheets;
  readonly known: KnownBy;
  readonly calendar: Calendar;
  readonly intervals: Settings['intervals'];
  readonly notBillableCodes: Settings['notBillableCodes'];
  readonly firstDay: number;
  readonly endDay: number;
}

async function appendDays(
  { history, nowMs, readingsRetentionMs }: AsOfPorts,
  builder: AggregateBatchBuilder,
  { asked: { tenant, meter, channel }, known, calendar, notBillableCodes, ...days }: DaysAsked,
): Promise<void> {
  const { intervals, firstDay, endDay } = days;
  const [fromMs, toMs] = [calendar.dayStartMs(firstDay), calendar.dayStartMs(endDay)];
  const keptFromMs = nowMs() - readingsRetentionMs + zoneReachMs;
  if (firstDay < endDay && fromMs < keptFromMs) {
    const detail = `readings are kept from ${utcText(keptFromMs)} on: of windows before, what was known earlier can not be computed`;
    throw new Problem('unprocessable-content', detail);
  }
  const layer = 'validated';
  const segments = await history(layer).asOf({ tenant, meter, channel, layer, fromMs, toMs }, known);
  const series = builder.series(meter, channel);
  new DaySheets().append(
    builder,
    { series, calendar, firstDay, endDay, intervals, notBillableCodes: new Set(notBillableCodes) },
    segments.map(({ columns }) => columns),
  );
}

interface MonthsAsked {
  readonly asked: SeriesSheets;
  readonly calendar: Calendar;
  readonly intervals: DaysAsked['intervals'];
  readonly firstMonth: number;
  readonly endMonth: number;
}

function monthsOf(
  days: AggregateBatch,
  { asked: { tenant, meter, channel }, calendar, intervals, firstMonth, endMonth }: MonthsAsked,
): AggregateBatch {
  const builder = new AggregateBatchBuilder();
  const series = builder.series(meter, channel);
  appendMonthSheets(builder, { series, calendar, intervals, firstMonth, endMonth }, days);
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
