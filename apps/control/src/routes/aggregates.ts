import {
  aggregateFacts,
  canonicalAggregate,
  formatMean,
  rareCounts,
  resolutionOf,
  resolutions,
  rowEndMs,
  rowStartMs,
  SheetCursor,
  type AggregateBatch,
  type Resolution,
} from '@meterflow/aggregates';
import { defineRoute, exactNumber, type Route } from '@meterflow/http';
import { qualities, utcText } from '@meterflow/readings';
import { z } from 'zod';
import type { ControlPorts } from '../ports.ts';
import { dayMs, pageOf, seriesQuery, type Position } from '../query-span.ts';

const query = z.strictObject({ ...seriesQuery, resolution: z.enum(resolutions).default('day') });

const inputs = z.object({
  version: z.number().int().optional().describe('the provider’s own revision'),
  acceptedAt: z.string().optional().describe('of readings without a revision'),
  activation: z.number().int().optional(),
  ticket: z.number().int().describe('orders results: what was announced before it is in it'),
});

const aggregate = z.object({
  meter: z.string(),
  channel: z.string(),
  resolution: z.enum(resolutions),
  start: z.string().describe('ISO 8601, UTC; days and months are those of the series’ time zone'),
  end: z.string(),
  sum: z.number().describe('exact'),
  min: z.number(),
  max: z.number(),
  mean: z.number().nullable().describe('rounded half-even to nine decimals'),
  count: z.number().int(),
  unit: z.string(),
  quality: z
    .enum(qualities)
    .describe('calculated where any reading is; else estimated where any is, or one is missing'),
  peakAt: z
    .string()
    .optional()
    .describe(
      'when the greatest reading starts; this and what follows is absent where a build wrote it that did not know them',
    ),
  expected: z.number().int().optional().describe('intervals of the registered length that start in the window'),
  missing: z.number().int().optional(),
  surplus: z.number().int().optional().describe('readings that are not summed: of another length, or in another unit'),
  estimated: z.number().int().optional().describe('of count, as the next three'),
  substituted: z.number().int().optional(),
  calculated: z.number().int().optional(),
  notBillable: z.number().int().optional(),
  inputs: inputs.describe('the newest versions among what it was computed from'),
});
const answer = z.object({ aggregates: z.array(aggregate), next: z.string().optional() });

/** A day's sheet holds its hours, and the longest local day there is began so long before its last hour. */
const sheetMsMax = 2 * dayMs;

interface WindowRow extends Position {
  readonly json: object;
}

export function aggregatesRoute(ports: Pick<ControlPorts, 'aggregates'>): Route {
  return defineRoute({
    method: 'GET',
    path: '/v1/aggregates',
    operationId: 'listAggregates',
    summary: 'Hours, local days or months of a series, in order',
    roles: ['customer', 'operator'],
    query,
    answers: { 200: { description: 'A page of aggregates', schema: answer } },
    handle: async ({ principal: { tenant }, query: { meter, channel, resolution, ...span } }) => {
      const level = resolution === 'month' ? 'month' : 'day';
      const page = await pageOf(span, async (fromMs, toMs) => {
        const sheetsFromMs = resolution === 'hour' ? fromMs - sheetMsMax : fromMs;
        const batch = await ports.aggregates.read({ tenant, meter, channel, level, fromMs: sheetsFromMs, toMs });
        return rowsOf(batch, resolution).filter(({ startMs }) => startMs >= fromMs && startMs < toMs);
      });
      return { json: { aggregates: page.rows.map(({ json }) => json), next: page.next } };
    },
  });
}

function rowsOf(batch: AggregateBatch, resolution: Resolution): readonly WindowRow[] {
  const rows: WindowRow[] = [];
  const cursor = new SheetCursor(batch);
  while (cursor.next()) {
    for (let row = cursor.rowsFrom; row < cursor.rowsTo; row++) {
      if (resolutionOf(cursor, row) === resolution) {
        const startMs = rowStartMs(cursor, row);
        rows.push({ startMs, lengthMs: rowEndMs(cursor, row) - startMs, json: jsonOf(cursor, row) });
      }
    }
  }
  return rows;
}

function jsonOf(cursor: SheetCursor, row: number): object {
  const { meter, channel, resolution, start, end, sum, min, max, count, unit, quality } = canonicalAggregate(
    cursor,
    row,
  );
  const { rows, decimals } = cursor.batch;
  const wide = { sumHigh: rows.sumHigh[row] as number, sumLow: rows.sumLow[row] as number };
  return {
    meter,
    channel,
    resolution,
    start,
    end,
    sum: exactNumber(sum),
    min: exactNumber(min),
    max: exactNumber(max),
    mean: count === 0 ? null : exactNumber(formatMean(wide, decimals, count)),
    count,
    unit,
    quality,
    ...factsOf(cursor, row),
    inputs: inputsOf(cursor),
  };
}

function factsOf(cursor: SheetCursor, row: number): object {
  const facts = aggregateFacts(cursor, row);
  if (facts === undefined) {
    return {};
  }
  const { rows } = cursor.batch;
  const missing = Math.max(0, facts.expected - (rows.count[row] as number));
  const counts = Object.fromEntries(rareCounts.map((name) => [name, rows[name][row]]));
  return { peakAt: facts.peakAt, expected: facts.expected, missing, ...counts };
}

function inputsOf({ inputs: { declared, acceptedAtMs, activation }, ticket }: SheetCursor): object {
  return {
    ...(declared === 0 ? {} : { version: declared }),
    ...(acceptedAtMs === 0 ? {} : { acceptedAt: utcText(acceptedAtMs) }),
    ...(activation === 0 ? {} : { activation }),
    ticket,
  };
}
