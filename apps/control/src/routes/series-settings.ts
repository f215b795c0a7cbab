import { defineRoute, Problem, type Route } from '@meterflow/http';
import { identifierCharsMax, type SeriesName } from '@meterflow/readings';
import {
  seriesSettingsSchema,
  type Principal,
  type RecomputeScope,
  type SeriesSettings,
  type SeriesSettingsPart,
} from '@meterflow/registry';
import { z } from 'zod';
import type { ControlPorts } from '../ports.ts';
import { noted } from '../recompute-due.ts';
import { recomputeScope } from '../recompute-scope.ts';
import { reprocessSettings, type SettingsChange } from '../reprocess/reprocess-settings.ts';
import { calendarProblem } from './calendars.ts';
import { asProblem } from './tenants.ts';

const { timeZone, calendars, notBillableCodes, intervalMs, unit, decimals, tags } = seriesSettingsSchema.shape;
const takesBack = 'null takes it back';
const change = {
  timeZone: timeZone.nullish().describe(`IANA name, whose days and months are aggregated; ${takesBack}`),
  calendars: calendars
    .nullish()
    .describe(`the tenant’s calendars by which it is aggregated as well: gas days, tariff registers; ${takesBack}`),
  notBillableCodes: notBillableCodes
    .nullish()
    .describe(`quality codes of the source whose readings must not be billed; ${takesBack}`),
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
  calendars: calendars.optional().describe('absent where there are none'),
  notBillableCodes: notBillableCodes.optional().describe('absent where there are none'),
  tags: tags.optional().describe('absent where there are none'),
});
const changed = settings.extend({
  recomputing: z
    .object({ series: z.number().int(), notices: z.number().int() })
    .optional()
    .describe('what is aggregated anew, which is done when nothing waits any more; absent: nothing is to be'),
  reprocess: z.string().optional().describe('the reprocess by which rules that look at whole days see it'),
});
const since = z.iso
  .datetime({ offset: true })
  .optional()
  .describe('readings are expected from then on, so that rules may fill what never comes; at first: now');

type SeriesPorts = Pick<
  ControlPorts,
  | 'groupsNow'
  | 'series'
  | 'calendars'
  | 'recomputes'
  | 'dueRecomputes'
  | 'tenants'
  | 'sources'
  | 'sleep'
  | 'reprocesses'
  | 'rules'
  | 'audited'
  | 'nowMs'
>;

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
    handle: async ({ principal, body }) => {
      const { tenant } = principal;
      await ports.tenants.require(tenant).catch(asProblem);
      await requireCalendars(ports, tenant, body);
      const set = (): Promise<unknown> => ports.series.setDefault(tenant, partOf(body));
      return { json: await changedOf(ports, { principal, set }, body) };
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
    body: z.strictObject({ ...series, ...change, since }),
    answers: { 200: { description: 'The settings', schema: changed.extend(series) } },
    handle: async ({ principal, body: { meter, channel, since: begin, ...body } }) => {
      const { tenant } = principal;
      await ports.tenants.require(tenant).catch(asProblem);
      await requireCalendars(ports, tenant, body);
      const sinceMs = begin === undefined ? undefined : Date.parse(begin);
      const set = (): Promise<unknown> => ports.series.set(tenant, { meter, channel }, { ...partOf(body), sinceMs });
      const target = { principal, series: { meter, channel }, set };
      const json = await changedOf(ports, target, { ...body, since: begin });
      return { json: { meter, channel, ...json } };
    },
  });
}

type Change = z.infer<z.ZodObject<typeof change>> & { readonly since?: string | undefined };

interface Target {
  readonly principal: Principal;
  /** Absent: the defaults of the tenant. */
  readonly series?: SeriesName;
  /** Makes the change. */
  readonly set: () => Promise<unknown>;
}

/** Makes a change; the settings as they are then, once aggregation and the rules are told to compute anew what they change. */
async function changedOf(
  ports: SeriesPorts,
  { principal, series: of, set }: Target,
  body: Change,
): Promise<z.infer<typeof changed>> {
  const { tenant } = principal;
  const scope: RecomputeScope = of === undefined ? { of: 'tenant' } : { of: 'series', series: [of] };
  const who = isSeenByRules(body) ? await ports.audited.nameOf(principal, undefined) : undefined;
  const due = { tenant, scope, ...(who === undefined ? {} : { rulesFor: who }) };
  return noted(ports, due, async ({ id }) => {
    await set().catch(settingsProblem);
    const named = of === undefined ? {} : { series: of };
    const reprocess = who === undefined ? undefined : await reprocessOf(ports, { tenant, id, who, ...named });
    const now = {
      ...jsonOf(await ports.series.current(tenant, of)),
      ...(reprocess === undefined ? {} : { reprocess }),
    };
    // Also where the value is the one before: whoever was interrupted in between says it once more.
    return (await isAggregatedAnew(ports, tenant, body))
      ? { ...now, recomputing: await recomputeScope(ports, tenant, scope) }
      : now;
  });
}

/** Tags say which groups a series belongs to, where there are any. */
async function isAggregatedAnew({ groupsNow }: SeriesPorts, tenant: string, body: Change): Promise<boolean> {
  if ([body.timeZone, body.intervalMs, body.calendars, body.notBillableCodes].some((each) => each !== undefined)) {
    return true;
  }
  return body.tags !== undefined && (await groupsNow.snapshot(tenant)).hasGroups;
}

/** What rules see of whole days hangs on these. */
function isSeenByRules({ timeZone: zone, intervalMs: length, unit: name, tags: facts, since: begin }: Change): boolean {
  return [zone, length, name, facts, begin].some((each) => each !== undefined);
}

/** Undefined where no rule that looks at whole days was ever activated. */
async function reprocessOf(
  { reprocesses, rules, nowMs }: SeriesPorts,
  change: SettingsChange,
): Promise<string | undefined> {
  return (await reprocessSettings({ reprocesses, nowMs, activations: rules.activations }, change))?.id;
}

function partOf(body: Omit<Change, 'since'>): SeriesSettingsPart {
  return Object.fromEntries(
    Object.entries(body)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name, value ?? undefined]),
  );
}

async function requireCalendars({ calendars: known }: SeriesPorts, tenant: string, body: Change): Promise<void> {
  for (const name of body.calendars ?? []) {
    await known.require(tenant, name).catch(calendarProblem);
  }
}

function jsonOf({
  timeZone: zone,
  calendars: names,
  notBillableCodes: codes,
  intervalMs: length,
  unit: name,
  decimals: digits,
  tags: facts,
}: SeriesSettings): z.infer<typeof settings> {
  const told = { timeZone: zone, intervalMs: length ?? null, unit: name ?? null, decimals: digits };
  return {
    ...told,
    ...(names.length === 0 ? {} : { calendars: [...names] }),
    ...(codes.length === 0 ? {} : { notBillableCodes: [...codes] }),
    ...(Object.keys(facts).length === 0 ? {} : { tags: facts }),
  };
}

/** What the schema of the body can't see: a series that had too many zones. */
function settingsProblem(error: unknown): never {
  if (error instanceof z.ZodError) {
    throw new Problem('invalid-request', error.issues.map(({ message }) => message).join('; '), { cause: error });
  }
  throw error;
}
