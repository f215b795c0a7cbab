import { defineRoute, exactNumber, type Route } from '@meterflow/http';
import type { Segment, SeriesDays } from '@meterflow/idempotent-writes';
import {
  canonicalReading,
  qualities,
  ReadingCursor,
  type Layer,
  type Quality,
  type SeriesName,
} from '@meterflow/readings';
import { z } from 'zod';
import type { ControlPorts } from '../ports.ts';
import { knownBy } from '../as-of/known-by.ts';
import { inZone, seriesQuery, tableQuery } from '../query-span.ts';
import { answerFormat, tableMediaTypes } from '../tabular/answer-format.ts';
import { readingColumns } from '../tabular/columns.ts';
import { tableReply, type TableRow } from '../tabular/table-reply.ts';

const query = z.strictObject({
  ...seriesQuery,
  ...tableQuery,
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

export function readingsRoute(ports: Pick<ControlPorts, 'readings' | 'history' | 'activations' | 'nowMs'>): Route {
  return defineRoute({
    method: 'GET',
    path: '/v1/readings',
    operationId: 'listReadings',
    summary: 'The latest readings of a series, in order, or those that were known at an instant',
    roles: ['customer', 'operator'],
    query,
    answers: {
      200: { description: 'A page of readings; all of them as a table', schema: answer, mediaTypes: tableMediaTypes },
    },
    handle: async (request) => {
      const { tenant } = request.principal;
      const { meter, channel, raw, ...asked } = inZone(request.query);
      const layer: Layer = raw ? 'raw' : 'validated';
      const known = asked.asOf === undefined ? undefined : await knownBy(ports, tenant, asked.asOf);
      const series = { tenant, meter, channel, layer };
      const read = (days: SeriesDays): Promise<readonly Segment[]> =>
        known === undefined ? ports.readings(layer).read(days) : ports.history(layer).asOf(days, known);
      return tableReply({
        format: answerFormat(asked.format, request.header('accept')),
        columns: readingColumns,
        timeZone: asked.zone,
        span: asked,
        signal: request.signal,
        read: async (fromMs, toMs) =>
          rowsOf(await read({ ...series, fromMs, toMs }), { tenant, series, wanted: asked.quality ?? qualities }),
        page: (readings, next) => ({ layer, readings, next }),
      });
    },
  });
}

function rowsOf(
  segments: readonly Segment[],
  asked: {
    readonly tenant: string;
    readonly series: SeriesName & { readonly layer: Layer };
    readonly wanted: readonly Quality[];
  },
): readonly TableRow[] {
  const { tenant, series } = asked;
  const isWanted = qualities.map((quality) => asked.wanted.includes(quality));
  const rows: TableRow[] = [];
  for (const { columns } of segments) {
    const cursor = new ReadingCursor(columns);
    while (cursor.next()) {
      if (isWanted[cursor.qualityCode] !== true) {
        continue;
      }
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
