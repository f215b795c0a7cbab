import { instantMsMax, type RecomputeScope, type SeriesSettings, type TouchedSeries } from '@meterflow/registry';
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
  return tellScope(ports, tenant, scope);
}

/** The same of what everybody knows already. */
export async function tellScope(
  ports: Omit<RecomputeScopePorts, 'sleep' | 'sources'>,
  tenant: string,
  scope: RecomputeScope,
): Promise<Recomputing> {
  const { recomputes, series, groupsNow } = ports;
  switch (scope.of) {
    case 'tenant':
      return recomputes.recompute({ tenant });
    case 'series':
      return recomputes.recomputeTouched(tenant, always(scope.series));
    case 'group':
      return recomputes.recomputeTouched(tenant, always((await groupsNow.snapshot(tenant)).everIn(scope.name)));
    case 'calendar': {
      const uses = ({ calendars, formerCalendars }: SeriesSettings): boolean =>
        calendars.includes(scope.name) || formerCalendars.includes(scope.name);
      return uses(await series.current(tenant))
        ? recomputes.recompute({ tenant })
        : recomputes.recomputeTouched(tenant, always(seriesThat(uses, ports, tenant)));
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

async function* always(all: Iterable<SeriesName> | AsyncIterable<SeriesName>): AsyncGenerator<TouchedSeries> {
  for await (const series of all) {
    yield { series, fromMs: -instantMsMax, toMs: instantMsMax };
  }
}
