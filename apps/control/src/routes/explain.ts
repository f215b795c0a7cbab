import { resolutions } from '@meterflow/aggregates';
import { defineRoute, exactNumber, Problem, type Route } from '@meterflow/http';
import { identifierCharsMax, qualities, ReadingCursor, type SeriesName } from '@meterflow/readings';
import { z } from 'zod';
import { explainAggregate, type ExplainAggregatePorts } from '../explain/explain-aggregate.ts';
import {
  explainReading,
  type ExplainedReading,
  type ExplainedRule,
  type ExplainedVersion,
} from '../explain/explain-reading.ts';
import type { ChangedReading } from '../explain/window-readings.ts';
import { dayMs, instant } from '../query-span.ts';
import { aggregateSchema } from './aggregates.ts';
import { asProblem } from './rule-problem.ts';

/** A meter and a channel, each character of which may take nine. */
const nextCharsMax = 2 * 9 * identifierCharsMax + 1;

const query = z.strictObject({
  meter: z.string().min(1).max(identifierCharsMax),
  channel: z.string().min(1).max(identifierCharsMax),
  at: instant.describe('an instant of the reading’s interval, or of the window'),
  resolution: z.enum(['reading', ...resolutions]).default('reading'),
  after: z
    .string()
    .min(1)
    .max(nextCharsMax)
    .optional()
    .describe('of a group’s window: the `next` of the answer before'),
});

const value = z.number().nullable().describe('exact; null where it is absent');
const quality = z.enum(qualities);
const shown = z.object({
  value,
  unit: z.string(),
  quality,
  method: z.string().optional(),
  reason: z.string().optional(),
});
const version = z.object({
  layer: z.enum(['raw', 'validated']),
  current: z.boolean().describe('the one that counts; the others were superseded, or came too late'),
  value,
  unit: z.string(),
  quality,
  method: z.string().optional(),
  reason: z.string().optional(),
  declared: z.number().optional().describe('the provider’s own revision'),
  acceptedAt: z.string().optional(),
  origins: z
    .array(z.object({ source: z.string(), label: z.string(), line: z.number().int(), acceptedAt: z.string() }))
    .optional()
    .describe('who brought it; absent where the store does not keep that'),
  activation: z
    .object({
      number: z.number().int(),
      flow: z.string(),
      author: z.string().optional(),
      why: z.string().optional(),
      computed: z.boolean().describe('false where the flow failed, and its policy decided'),
      rules: z.array(
        z.object({
          name: z.string(),
          version: z.string(),
          parameters: z.record(z.string(), z.union([z.number(), z.string(), z.boolean()])),
          gave: shown
            .nullable()
            .optional()
            .describe(
              'what the reading is after this rule; null where there is none yet. Of what counts, where rules changed it and it can be told now',
            ),
        }),
      ),
    })
    .optional(),
});
const reading = z.object({
  meter: z.string(),
  channel: z.string(),
  start: z.string(),
  end: z.string(),
  validated: version.optional(),
  raw: version.optional(),
  changedByRules: z.boolean(),
  versions: z.array(version).describe('all that is known, newest first'),
});
const changed = z.object({
  start: z.string(),
  value,
  quality,
  method: z.string().optional(),
  reason: z.string().optional(),
  raw: value.optional().describe('what came, where that is another value'),
  was: z.number().optional().describe('of one that was withdrawn as it came: the newest value before'),
  declared: z.number().optional().describe('the version that counts: the provider’s own revision'),
  acceptedAt: z.string().optional().describe('where there is no revision: when that version was accepted'),
  activation: z.number().int().optional().describe('of the rules that it went through'),
});
const window = z.object({
  start: z.string(),
  end: z.string(),
  aggregate: aggregateSchema
    .nullable()
    .describe('null where nothing counts in the window: all that came was withdrawn'),
  missing: z.array(z.string()).describe('starts of intervals without a summed reading'),
  changed: z.array(changed).describe('readings that are not as they came, or were not measured'),
  sources: z
    .array(
      z.object({
        ...{ source: z.string(), label: z.string(), acceptedAt: z.string() },
        ...{ readings: z.number().int(), firstLine: z.number().int(), lastLine: z.number().int() },
      }),
    )
    .optional(),
  parts: z
    .array(
      z.object({
        ...{ meter: z.string(), channel: z.string() },
        from: z.string().optional().describe('where it does not count in all of the window'),
        to: z.string().optional(),
        factor: z.string().optional().describe('a decimal that its values are multiplied by'),
        aggregate: aggregateSchema.nullable().describe('of the whole window; null where it has none like the group’s'),
      }),
    )
    .optional()
    .describe('of a group: what counts in it directly'),
  next: z.string().optional().describe('of a group of which there may be more parts: ask for them with `after`'),
  cut: z.boolean().describe('there is more: a list has more than its first 1,000, or there is a `next`'),
});
const answer = z.union([reading, window]);

/** A reading whose interval holds the instant began no longer before it: the longest registered one is a year. */
const readingMsMax = 367 * dayMs;

export function explainRoute(ports: ExplainAggregatePorts): Route {
  return defineRoute({
    method: 'GET',
    path: '/v1/explain',
    operationId: 'explain',
    summary: 'Why a reading or an aggregate is what it is: sources and lines, versions, rules, what is missing',
    roles: ['customer', 'operator'],
    query,
    answers: { 200: { description: 'Where the value comes from', schema: answer } },
    handle: async ({ principal: { tenant }, query: { meter, channel, at, resolution, after } }) => {
      const series = { tenant, meter, channel };
      const json =
        resolution === 'reading'
          ? await readingAt(ports, series, at)
          : await windowAt(ports, { ...series, resolution, atMs: at, after });
      if (json === undefined) {
        const what = resolution === 'reading' ? 'reading' : `${resolution} of readings`;
        throw new Problem(
          'not-found',
          `no ${what} of meter ${meter}, channel ${channel}, holds ${new Date(at).toISOString()}`,
        );
      }
      return { json };
    },
  });
}

async function readingAt(
  ports: ExplainAggregatePorts,
  series: SeriesName & { readonly tenant: string },
  atMs: number,
): Promise<object | undefined> {
  // The shortest interval that holds it: of a register reading and an interval the register reading of that instant.
  let best: { startMs: number; lengthMs: number } | undefined;
  for (const layer of ['validated', 'raw'] as const) {
    const days = { ...series, layer, fromMs: atMs - readingMsMax, toMs: atMs + 1 };
    for (const { columns } of await ports.readings(layer).read(days)) {
      const cursor = new ReadingCursor(columns);
      while (cursor.next()) {
        const { startMs, lengthMs } = cursor;
        const holds = startMs === atMs || (startMs < atMs && atMs < startMs + lengthMs);
        if (holds && (best === undefined || lengthMs < best.lengthMs)) {
          best = { startMs, lengthMs };
        }
      }
    }
  }
  const explained =
    best === undefined ? undefined : await explainReading(ports, { ...series, ...best }).catch(asProblem);
  return explained === undefined ? undefined : exactReading(explained);
}

async function windowAt(
  ports: ExplainAggregatePorts,
  place: Parameters<typeof explainAggregate>[1],
): Promise<object | undefined> {
  const explained = await explainAggregate(ports, place);
  return explained === undefined ? undefined : { ...explained, changed: explained.changed.map(exactChange) };
}

function exactReading({ validated, raw, versions, ...rest }: ExplainedReading): object {
  return {
    ...rest,
    validated: validated === undefined ? undefined : exactVersion(validated),
    raw: raw === undefined ? undefined : exactVersion(raw),
    versions: versions.map(exactVersion),
  };
}

function exactVersion({ activation, ...each }: ExplainedVersion): object {
  return {
    ...each,
    value: exact(each.value),
    ...(activation === undefined ? {} : { activation: { ...activation, rules: activation.rules.map(exactRule) } }),
  };
}

function exactRule({ gave, ...rule }: ExplainedRule): object {
  return gave === undefined ? rule : { ...rule, gave: gave === null ? null : { ...gave, value: exact(gave.value) } };
}

function exactChange(each: ChangedReading): object {
  return {
    ...each,
    value: exact(each.value),
    ...(each.raw === undefined ? {} : { raw: exact(each.raw) }),
    ...(each.was === undefined ? {} : { was: exact(each.was) }),
  };
}

function exact(text: string | null): object | null {
  return text === null ? null : exactNumber(text);
}
