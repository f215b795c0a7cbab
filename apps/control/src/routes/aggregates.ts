import { resolutions } from '@meterflow/aggregates';
import { defineRoute, type Route } from '@meterflow/http';
import { qualities } from '@meterflow/readings';
import { z } from 'zod';
import { aggregateRows, windowStates } from '../aggregate-rows.ts';
import type { ControlPorts } from '../ports.ts';
import { pageOf, seriesQuery } from '../query-span.ts';

const query = z.strictObject({ ...seriesQuery, resolution: z.enum(resolutions).default('day') });

const inputs = z.object({
  version: z.number().int().optional().describe('the provider’s own revision'),
  acceptedAt: z.string().optional().describe('of readings without a revision'),
  activation: z.number().int().optional(),
  ticket: z.number().int().describe('orders results: what was announced before it is in it'),
});

export const aggregateSchema = z.object({
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
  state: z
    .enum(windowStates)
    .describe('complete: no reading is missing; final: its days are closed, what still comes corrects it; else open'),
});
const answer = z.object({ aggregates: z.array(aggregateSchema), next: z.string().optional() });

export function aggregatesRoute(ports: Pick<ControlPorts, 'aggregates' | 'nowMs'>): Route {
  return defineRoute({
    method: 'GET',
    path: '/v1/aggregates',
    operationId: 'listAggregates',
    summary: 'Hours, local days or months of a series, in order',
    roles: ['customer', 'operator'],
    query,
    answers: { 200: { description: 'A page of aggregates', schema: answer } },
    handle: async ({ principal: { tenant }, query: { meter, channel, resolution, ...span } }) => {
      const page = await pageOf(span, (fromMs, toMs) =>
        aggregateRows(ports.aggregates, { tenant, meter, channel, resolution, fromMs, toMs, nowMs: ports.nowMs() }),
      );
      return { json: { aggregates: page.rows.map(({ json }) => json), next: page.next } };
    },
  });
}
