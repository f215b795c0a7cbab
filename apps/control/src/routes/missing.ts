import { calendarOf, missingIntervals, type MissingDay } from '@meterflow/aggregates';
import { defineRoute, type Route } from '@meterflow/http';
import { utcText, type SeriesName } from '@meterflow/readings';
import { z } from 'zod';
import type { ControlPorts } from '../ports.ts';
import { pageOf, seriesQuery, type Position } from '../query-span.ts';

const query = z.strictObject(seriesQuery);

const gap = z.object({
  from: z.string(),
  to: z.string(),
  count: z.number().int().describe('intervals'),
});
const missingDay = z.object({
  start: z.string().describe('ISO 8601, UTC: where the local day begins'),
  end: z.string(),
  missing: z.number().int(),
  gaps: z.array(gap),
});
const answer = z.object({
  meter: z.string(),
  channel: z.string(),
  days: z.array(missingDay),
  next: z.string().optional(),
});

type MissingPorts = Pick<ControlPorts, 'readings' | 'nowMs'> & {
  readonly series: Pick<ControlPorts['series'], 'current'>;
};

interface DayRow extends Position {
  readonly json: z.infer<typeof missingDay>;
}

export function missingRoute(ports: MissingPorts): Route {
  return defineRoute({
    method: 'GET',
    path: '/v1/missing',
    operationId: 'listMissing',
    summary: 'Local days of a series in which intervals that are due have no reading, and which',
    roles: ['customer', 'operator'],
    query,
    answers: { 200: { description: 'A page of days; those that lack nothing are left out', schema: answer } },
    handle: async ({ principal: { tenant }, query: { meter, channel, ...span } }) => {
      const page = await pageOf(span, (fromMs, toMs) =>
        daysWithin(ports, { tenant, meter, channel }, { fromMs, toMs }),
      );
      return { json: { meter, channel, days: page.rows.map(({ json }) => json), next: page.next } };
    },
  });
}

/** The days that start in the span. */
async function daysWithin(
  ports: MissingPorts,
  { tenant, ...series }: SeriesName & { readonly tenant: string },
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
): Promise<readonly DayRow[]> {
  const { timeZone, intervals } = await ports.series.current(tenant, series);
  const calendar = calendarOf(timeZone);
  const dayFrom = (instantMs: number): number => calendar.dayOf(instantMs - 1) + 1;
  const [firstDay, endDay] = [dayFrom(fromMs), dayFrom(toMs)];
  const layer = 'validated';
  const span = { fromMs: calendar.dayStartMs(firstDay), toMs: calendar.dayStartMs(endDay) };
  const segments = await ports.readings(layer).read({ tenant, ...series, layer, ...span });
  const request = { calendar, firstDay, endDay, intervals, untilMs: ports.nowMs() };
  return missingIntervals(
    request,
    segments.map(({ columns }) => columns),
  ).map((day) => ({ startMs: day.startMs, lengthMs: day.endMs - day.startMs, json: jsonOf(day) }));
}

function jsonOf({ startMs, endMs, missing, gaps }: MissingDay): z.infer<typeof missingDay> {
  return {
    start: utcText(startMs),
    end: utcText(endMs),
    missing,
    gaps: gaps.map(({ fromMs, toMs, count }) => ({ from: utcText(fromMs), to: utcText(toMs), count })),
  };
}
