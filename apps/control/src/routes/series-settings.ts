import { defineRoute, Problem, type Route } from '@meterflow/http';
import { identifierCharsMax, type SeriesName } from '@meterflow/readings';
import {
  seriesSettingsMsMax,
  seriesSettingsSchema,
  type SeriesSettings,
  type SeriesSettingsPart,
} from '@meterflow/registry';
import { z } from 'zod';
import type { ControlPorts } from '../ports.ts';
import { asProblem } from './tenants.ts';

const { timeZone, intervalMs, unit, decimals, tags } = seriesSettingsSchema.shape;
/** Beside the longest that settings are cached: clocks differ a little. */
const clockMs = 500;
const takesBack = 'null takes it back';
const change = {
  timeZone: timeZone.nullish().describe(`IANA name, whose days and months are aggregated; ${takesBack}`),
  intervalMs: intervalMs.nullish().describe(`the one length of intervals that is summed; ${takesBack}`),
  unit: unit.nullish().describe(takesBack),
  decimals: decimals.nullish().describe(takesBack),
  tags: tags
    .nullish()
    .describe(`all tags, by name: facts that rules may ask for, as dials and multiplier; ${takesBack}`),
};
const series = {
  meter: z.string().min(1).max(identifierCharsMax),
  channel: z.string().min(1).max(identifierCharsMax).default('import'),
};
const settings = z.object({
  timeZone: z.string(),
  intervalMs: z.number().nullable().describe('null: the most common one of each day'),
  unit: z.string().nullable().describe('null: what the readings come in'),
  decimals: z.number().int(),
  tags: tags.optional().describe('absent where there are none'),
});
const changed = settings.extend({
  recomputing: z
    .object({ series: z.number().int(), notices: z.number().int() })
    .optional()
    .describe('what is aggregated anew, which is done when nothing waits any more; absent: nothing is to be'),
});

type SeriesPorts = Pick<ControlPorts, 'series' | 'recomputes' | 'tenants' | 'sources' | 'sleep'>;

/** What must be known of series beside their readings; each tenant sees and changes its own. */
export function seriesRoutes(ports: SeriesPorts): readonly Route[] {
  return [showDefaultsRoute(ports), changeDefaultsRoute(ports), showRoute(ports), changeRoute(ports)];
}

function showDefaultsRoute({ series: registry }: SeriesPorts): Route {
  return defineRoute({
    method: 'GET',
    path: '/v1/series-defaults',
    operationId: 'getSeriesDefaults',
    summary: 'Time zone, interval and unit of all series of the tenant that do not say otherwise',
    roles: ['customer', 'operator'],
    answers: { 200: { description: 'The settings', schema: settings } },
    handle: async ({ principal }) => ({ json: jsonOf(await registry.current(principal.tenant)) }),
  });
}

function changeDefaultsRoute(ports: SeriesPorts): Route {
  return defineRoute({
    method: 'PATCH',
    path: '/v1/series-defaults',
    operationId: 'changeSeriesDefaults',
    summary: 'Other defaults; what is not given stays. Days and months are aggregated anew where that changes them',
    roles: ['customer', 'operator'],
    body: z.strictObject(change),
    answers: { 200: { description: 'The settings', schema: changed } },
    handle: async ({ principal: { tenant }, body, signal }) => {
      await ports.tenants.require(tenant).catch(asProblem);
      await ports.series.setDefault(tenant, partOf(body)).catch(settingsProblem);
      return { json: await changedOf(ports, { tenant }, { body, signal }) };
    },
  });
}

function showRoute({ series: registry }: SeriesPorts): Route {
  return defineRoute({
    method: 'GET',
    path: '/v1/series-settings',
    operationId: 'getSeriesSettings',
    summary: 'Time zone, interval and unit that hold for one series',
    roles: ['customer', 'operator'],
    query: z.strictObject(series),
    answers: { 200: { description: 'The settings', schema: settings.extend(series) } },
    handle: async ({ principal, query }) => ({
      json: { ...query, ...jsonOf(await registry.current(principal.tenant, query)) },
    }),
  });
}

function changeRoute(ports: SeriesPorts): Route {
  return defineRoute({
    method: 'PATCH',
    path: '/v1/series-settings',
    operationId: 'changeSeriesSettings',
    summary: 'Settings of one series; what is not given stays. Its days and months are aggregated anew',
    roles: ['customer', 'operator'],
    body: z.strictObject({ ...series, ...change }),
    answers: { 200: { description: 'The settings', schema: changed.extend(series) } },
    handle: async ({ principal: { tenant }, body: { meter, channel, ...body }, signal }) => {
      await ports.tenants.require(tenant).catch(asProblem);
      await ports.series.set(tenant, { meter, channel }, partOf(body)).catch(settingsProblem);
      const json = await changedOf(ports, { tenant, series: { meter, channel } }, { body, signal });
      return { json: { meter, channel, ...json } };
    },
  });
}

type Change = z.infer<z.ZodObject<typeof change>>;

/** The settings as they are now, once aggregation is told to compute anew what they change. */
async function changedOf(
  ports: SeriesPorts,
  target: { readonly tenant: string; readonly series?: SeriesName },
  { body, signal }: { readonly body: Change; readonly signal: AbortSignal },
): Promise<z.infer<typeof changed>> {
  const now = jsonOf(await ports.series.current(target.tenant, target.series));
  // Also where the value is the one before: whoever was interrupted in between says it once more.
  if (body.timeZone === undefined && body.intervalMs === undefined) {
    return now;
  }
  const [any] = await ports.sources.list(target.tenant, { limit: 1 });
  if (any === undefined) {
    return { ...now, recomputing: { series: 0, notices: 0 } };
  }
  // Whoever computes a day now may do so with settings of before. After this time nobody does any more.
  await ports.sleep(seriesSettingsMsMax + clockMs, signal);
  return { ...now, recomputing: await ports.recomputes.recompute(target) };
}

function partOf(body: Change): SeriesSettingsPart {
  return Object.fromEntries(
    Object.entries(body)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name, value ?? undefined]),
  );
}

function jsonOf({
  timeZone: zone,
  intervalMs: length,
  unit: name,
  decimals: digits,
  tags: facts,
}: SeriesSettings): z.infer<typeof settings> {
  const told = { timeZone: zone, intervalMs: length ?? null, unit: name ?? null, decimals: digits };
  return Object.keys(facts).length === 0 ? told : { ...told, tags: facts };
}

/** What the schema of the body can't see: a series that had too many zones. */
function settingsProblem(error: unknown): never {
  if (error instanceof z.ZodError) {
    throw new Problem('invalid-request', error.issues.map(({ message }) => message).join('; '), { cause: error });
  }
  throw error;
}
