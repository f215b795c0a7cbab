import { defineRoute, exactNumber, type Route } from '@meterflow/http';
import type { Segment } from '@meterflow/idempotent-writes';
import { canonicalReading, qualities, ReadingCursor, type Layer, type SeriesName } from '@meterflow/readings';
import { z } from 'zod';
import type { ControlPorts } from '../ports.ts';
import { pageOf, seriesQuery, type Position } from '../query-span.ts';

const query = z.strictObject({
  ...seriesQuery,
  raw: z.stringbool().default(false).describe('as they came, before the rules'),
});

const reading = z.object({
  meter: z.string(),
  channel: z.string(),
  start: z.string().describe('ISO 8601, UTC'),
  end: z.string().describe('the start itself for a register reading'),
  value: z.number().nullable().describe('exact; null where the reading is absent'),
  unit: z.string(),
  quality: z.enum(qualities),
  method: z.string().optional().describe('how the value was made, as the rule that made it says'),
  reason: z.string().optional().describe('why it is as it is: what a rule noted, or why there is none'),
  version: z.number().optional().describe('as the provider declared it'),
});
const answer = z.object({ layer: z.string(), readings: z.array(reading), next: z.string().optional() });

interface ReadingRow extends Position {
  readonly json: object;
}

export function readingsRoute(ports: Pick<ControlPorts, 'readings'>): Route {
  return defineRoute({
    method: 'GET',
    path: '/v1/readings',
    operationId: 'listReadings',
    summary: 'The latest readings of a series, in order',
    roles: ['customer', 'operator'],
    query,
    answers: { 200: { description: 'A page of readings', schema: answer } },
    handle: async ({ principal: { tenant }, query: { meter, channel, raw, ...span } }) => {
      const layer: Layer = raw ? 'raw' : 'validated';
      const store = ports.readings(layer);
      const page = await pageOf(span, async (fromMs, toMs) =>
        rowsOf(await store.read({ tenant, meter, channel, layer, fromMs, toMs }), tenant, { meter, channel, layer }),
      );
      return { json: { layer, readings: page.rows.map(({ json }) => json), next: page.next } };
    },
  });
}

function rowsOf(
  segments: readonly Segment[],
  tenant: string,
  series: SeriesName & { readonly layer: Layer },
): readonly ReadingRow[] {
  const rows: ReadingRow[] = [];
  for (const { columns } of segments) {
    const cursor = new ReadingCursor(columns);
    while (cursor.next()) {
      const { meter, channel, start, end, value, unit, quality, reason, version } = canonicalReading(
        tenant,
        series,
        cursor,
      );
      const exact = value === null ? null : exactNumber(value);
      const json = {
        ...{ meter, channel, start, end, value: exact, unit, quality },
        ...(cursor.method === '' ? {} : { method: cursor.method }),
        ...{ reason, version },
      };
      rows.push({ startMs: cursor.startMs, lengthMs: cursor.lengthMs, json });
    }
  }
  return rows;
}
