import {
  AggregateBatchBuilder,
  appendYearSheets,
  resolutions,
  yearOfDay,
  type AggregateBatch,
  type Resolution,
} from '@meterflow/aggregates';
import type { AggregateStore } from '@meterflow/idempotent-writes';
import { z } from 'zod';
import { aggregateRows, type WindowRow, type WindowsAsked } from './aggregate-rows.ts';
import { intervalRows, type IntervalPorts } from './interval-rows.ts';
import { seriesDays, type SeriesDays, type SeriesDaysPorts } from './series-days.ts';

const unitMs = { m: 60_000, h: 3_600_000 } as const;
const windowMsMax = 24 * unitMs.h;

/** What is stored, years, and windows of any length up to a day: `15m`, `2h`. */
export const windowResolution = z.union([
  z.enum([...resolutions, 'year']),
  z
    .string()
    .regex(/^[1-9]\d{0,3}[mh]$/, 'hour, day, month, year, or a length like 15m or 2h')
    .refine((text) => lengthMs(text) <= windowMsMax, 'longer than a day'),
]);

export type WindowRowsAsked = Omit<WindowsAsked, 'resolution'> & {
  readonly resolution: z.infer<typeof windowResolution>;
};

/**
 * Windows of a series of any resolution. Hours, days and months are stored; years are made of stored days, shorter ones and
 * multiples of the readings, when they are asked for.
 */
export async function windowRows(
  ports: SeriesDaysPorts & IntervalPorts,
  aggregates: Pick<AggregateStore, 'read'>,
  asked: WindowRowsAsked,
): Promise<readonly WindowRow[]> {
  const { resolution } = asked;
  if (isStored(resolution)) {
    return aggregateRows(aggregates, { ...asked, resolution });
  }
  const days = await seriesDays(ports, asked.tenant, asked);
  if (resolution === 'year') {
    const rows = await aggregateRows(yearsOf(aggregates, days), { ...asked, resolution: 'month' });
    return rows.map((row) => ({ ...row, json: { ...row.json, resolution } }));
  }
  return intervalRows(ports, days, { ...asked, resolution, slotMs: lengthMs(resolution) });
}

/** Neither stored nor made of what is. */
export function isMadeOfReadings(resolution: string): boolean {
  return !isStored(resolution) && resolution !== 'year';
}

function isStored(resolution: string): resolution is Resolution {
  return (resolutions as readonly string[]).includes(resolution);
}

/** As a store that has a sheet a year: those that begin in the span, from the days of all of it. */
function yearsOf(aggregates: Pick<AggregateStore, 'read'>, days: SeriesDays): Pick<AggregateStore, 'read'> {
  return {
    read: async ({ tenant, meter, channel, fromMs, toMs }): Promise<AggregateBatch> => {
      const { calendar, intervals, covered } = days;
      const yearFrom = (instantMs: number): number => yearOfDay(calendar.dayOf(instantMs - 1)) + 1;
      const [firstYear, endYear] = [yearFrom(fromMs), yearFrom(toMs)];
      const builder = new AggregateBatchBuilder();
      const series = builder.series(meter, channel);
      if (firstYear < endYear) {
        const span = { fromMs: calendar.yearStartMs(firstYear), toMs: calendar.yearStartMs(endYear) };
        const stored = await aggregates.read({ tenant, meter, channel, level: 'day', rows: 'whole', ...span });
        const request = { series, calendar, intervals, firstYear, endYear };
        appendYearSheets(builder, covered === undefined ? request : { ...request, covered }, stored);
      }
      return builder.finish({ tenant, level: 'month', ticket: 0, causes: [] });
    },
  };
}

function lengthMs(text: string): number {
  return Number(text.slice(0, -1)) * unitMs[text.slice(-1) as keyof typeof unitMs];
}
