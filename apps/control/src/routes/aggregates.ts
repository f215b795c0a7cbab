import { defineRoute, type Route } from '@meterflow/http';
import { qualities } from '@meterflow/readings';
import { z } from 'zod';
import { windowStates } from '../aggregate-rows.ts';
import type { ControlPorts } from '../ports.ts';
import { aggregatesAsOf, type AsOfPorts } from '../as-of/aggregates-as-of.ts';
import { knownBy } from '../as-of/known-by.ts';
import { readingsAsOf } from '../as-of/readings-as-of.ts';
import { denseWindowMs, inZone, seriesQuery, tableQuery } from '../query-span.ts';
import { answerFormat, tableMediaTypes } from '../tabular/answer-format.ts';
import { aggregateColumns } from '../tabular/columns.ts';
import { tableReply } from '../tabular/table-reply.ts';
import { isMadeOfReadings, windowResolution, windowRows } from '../window-rows.ts';

const query = z.strictObject({
  ...seriesQuery,
  ...tableQuery,
  resolution: windowResolution.default('day'),
  state: z
    .string()
    .max(100)
    .transform((text) => text.split(','))
    .pipe(z.array(z.enum(windowStates)).min(1))
    .optional()
    .describe(`windows in these states alone, parted by commas: ${windowStates.join(', ')}`),
});

const inputs = z.object({
  version: z.number().int().optional().describe('the provider’s own revision'),
  acceptedAt: z.string().optional().describe('of readings without a revision'),
  activation: z.number().int().optional(),
  ticket: z.number().int().describe('orders results: what was announced before it is in it'),
});

export const aggregateSchema = z.object({
  meter: z.string(),
  channel: z.string(),
  resolution: windowResolution,
  start: z.string().describe('ISO 8601, UTC; days and months are those of the series’ time zone'),
  end: z.string(),
  sum: z.number().nullable().describe('exact; null, as min, max and mean, where all that came is surplus'),
  min: z
    .number()
    .nullable()
    .optional()
    .describe('absent, as all but the sum and the quality, of windows of another length'),
  max: z.number().nullable().optional(),
  mean: z.number().nullable().optional().describe('rounded half-even to nine decimals'),
  count: z.number().int().optional(),
  unit: z.string(),
  quality: z
    .enum(qualities)
    .describe('calculated where any reading is; else estimated where any is, or one is missing'),
  peakAt: z
    .string()
    .optional()
    .describe(
      'when the greatest reading starts, if any is summed; this and what follows is absent where a build wrote it that did not know them',
    ),
  expected: z.number().int().optional().describe('intervals of the registered length that start in the window'),
  missing: z.number().int().optional(),
  surplus: z.number().int().optional().describe('readings that are not summed: of another length, or in another unit'),
  estimated: z.number().int().optional().describe('of count, as the next three'),
  substituted: z.number().int().optional(),
  calculated: z.number().int().optional(),
  notBillable: z.number().int().optional(),
  inputs: inputs.optional().describe('the newest versions among what it was computed from'),
  state: z
    .enum(windowStates)
    .describe('complete: no reading is missing; final: its days are closed, what still comes corrects it; else open'),
});
const answer = z.object({ aggregates: z.array(aggregateSchema), next: z.string().optional() });

type AggregatesPorts = Pick<ControlPorts, 'aggregates' | 'activations' | 'readings' | 'groupsNow'> & AsOfPorts;

export function aggregatesRoute(ports: AggregatesPorts): Route {
  return defineRoute({
    method: 'GET',
    path: '/v1/aggregates',
    operationId: 'listAggregates',
    summary: 'Hours, days, months, years or shorter windows of a series, or what they were known to be at an instant',
    roles: ['customer', 'operator'],
    query,
    answers: {
      200: { description: 'A page of aggregates; all of them as a table', schema: answer, mediaTypes: tableMediaTypes },
    },
    handle: async (request) => {
      const { tenant } = request.principal;
      const { meter, channel, resolution, ...asked } = inZone(request.query);
      const known = asked.asOf === undefined ? undefined : await knownBy(ports, tenant, asked.asOf);
      const stored = known === undefined ? ports.aggregates : aggregatesAsOf(ports, known);
      const made = known === undefined ? ports : { ...ports, ...readingsAsOf(ports, known) };
      const nowMs = known?.instantMs ?? ports.nowMs();
      return tableReply({
        format: answerFormat(asked.format, request.header('accept')),
        columns: aggregateColumns,
        timeZone: asked.zone,
        span: asked,
        pageWindowMs: isMadeOfReadings(resolution) ? denseWindowMs : undefined,
        signal: request.signal,
        read: async (fromMs, toMs) => {
          const rows = await windowRows(made, stored, { tenant, meter, channel, resolution, fromMs, toMs, nowMs });
          return rows.filter(
            ({ quality, state }) =>
              (asked.quality?.includes(quality) ?? true) && (asked.state?.includes(state) ?? true),
          );
        },
        page: (aggregates, next) => ({ aggregates, next }),
      });
    },
  });
}
