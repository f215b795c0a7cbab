import {
  instantMsMax,
  type DueRequest,
  type RecomputeScope,
  type SeriesSettings,
  type TouchedSeries,
} from '@meterflow/registry';
import type { SeriesName } from '@meterflow/readings';
import type { ControlPorts, Recomputing } from './ports.ts';
import { settingsSpread } from './settings-spread.ts';

export type RecomputeScopePorts = Pick<ControlPorts, 'recomputes' | 'series' | 'groupsNow' | 'sources' | 'sleep'>;

const nothing: Recomputing = { series: 0, notices: 0 };

/** Has computed anew what is stored of these, whose settings were changed, once everybody knows of it. */
export async function recompute(
  ports: Pick<ControlPorts, 'recomputes' | 'sources' | 'sleep'>,
  tenant: string,
  touched: Iterable<TouchedSeries> | AsyncIterable<TouchedSeries>,
): Promise<Recomputing> {
  if (await hasNothing(ports, tenant)) {
    return nothing;
  }
  await settingsSpread(ports);
  return ports.recomputes.recomputeTouched(tenant, touched);
}

/** The same of everything that hangs on a change, whenever it is of. */
export async function recomputeScope(
  ports: RecomputeScopePorts,
  tenant: string,
  scope: RecomputeScope,
): Promise<Recomputing> {
  if (await hasNothing(ports, tenant)) {
    return nothing;
  }
  await settingsSpread(ports);
  return tellScope(ports, { tenant, scope });
}

/** The same of what everybody knows already; rejected where the signal aborts. */
export async function tellScope(
  ports: Omit<RecomputeScopePorts, 'sleep' | 'sources'>,
  { tenant, scope }: Pick<DueRequest, 'tenant' | 'scope'>,
  signal?: AbortSignal,
): Promise<Recomputing> {
  const { recomputes, series, groupsNow } = ports;
  const touched = (all: Iterable<SeriesName> | AsyncIterable<SeriesName>): Promise<Recomputing> =>
    recomputes.recomputeTouched(tenant, always(all, signal), signal);
  switch (scope.of) {
    case 'tenant':
      return recomputes.recompute({ tenant }, signal);
    case 'series':
      return touched(scope.series);
    case 'days':
      return recomputes.recomputeDays(tenant, scope.days, signal);
    case 'group':
      return touched((await groupsNow.snapshot(tenant)).everIn(scope.name));
    case 'calendar': {
      const uses = ({ calendars, formerCalendars }: SeriesSettings): boolean =>
        calendars.includes(scope.name) || formerCalendars.includes(scope.name);
      return uses(await series.current(tenant))
        ? recomputes.recompute({ tenant }, signal)
        : touched(seriesThat(uses, ports, tenant));
    }
  }
}

/** Nothing ever came of the tenant. */
async function hasNothing({ sources }: Pick<ControlPorts, 'sources'>, tenant: string): Promise<boolean> {
  return (await sources.list(tenant, { limit: 1 })).length === 0;
}

async function* seriesThat(
  hold: (settings: SeriesSettings) => boolean,
  { series: registry }: Pick<ControlPorts, 'series'>,
  tenant: string,
): AsyncGenerator<SeriesName> {
  for await (const { series, settings } of registry.all(tenant)) {
    if (hold(settings)) {
      yield series;
    }
  }
}

async function* always(
  all: Iterable<SeriesName> | AsyncIterable<SeriesName>,
  signal: AbortSignal | undefined,
): AsyncGenerator<TouchedSeries> {
  for await (const series of all) {
    signal?.throwIfAborted();
    yield { series, fromMs: -instantMsMax, toMs: instantMsMax };
  }
}
