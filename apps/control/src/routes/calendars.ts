import { defineRoute, Problem, type Route } from '@meterflow/http';
import {
  calendarNameSchema,
  calendarSchema,
  CalendarRefusedError,
  instantMsMax,
  UnknownCalendarError,
  type NamedCalendar,
  type TouchedSeries,
} from '@meterflow/registry';
import { z } from 'zod';
import type { ControlPorts } from '../ports.ts';
import { settingsSpread } from '../settings-spread.ts';
import { recompute } from './registry-files.ts';
import { asProblem } from './tenants.ts';

type CalendarPorts = Pick<ControlPorts, 'calendars' | 'series' | 'recomputes' | 'tenants' | 'sources' | 'sleep'>;

const params = z.strictObject({ name: calendarNameSchema });
const calendar = z.looseObject({ name: z.string() });

/** Calendars of a tenant: gas days and tariff registers. What a change touches is computed anew. */
export function calendarRoutes(ports: CalendarPorts): readonly Route[] {
  return [listRoute(ports), showRoute(ports), putRoute(ports), removeRoute(ports)];
}

function listRoute({ calendars }: CalendarPorts): Route {
  return defineRoute({
    method: 'GET',
    path: '/v1/calendars',
    operationId: 'listCalendars',
    summary: 'Calendars, by name',
    roles: ['customer', 'operator'],
    answers: { 200: { description: 'All of them', schema: z.object({ calendars: z.array(calendar) }) } },
    handle: async ({ principal: { tenant } }) => ({
      json: { calendars: (await calendars.list(tenant)).map(jsonOf) },
    }),
  });
}

function showRoute({ calendars }: CalendarPorts): Route {
  return defineRoute({
    method: 'GET',
    path: '/v1/calendars/{name}',
    operationId: 'getCalendar',
    summary: 'One calendar',
    roles: ['customer', 'operator'],
    params,
    answers: { 200: { description: 'The calendar', schema: calendar } },
    handle: async ({ principal: { tenant }, params: { name } }) => ({
      json: jsonOf(await calendars.require(tenant, name).catch(calendarNotFound)),
    }),
  });
}

function putRoute(ports: CalendarPorts): Route {
  return defineRoute({
    method: 'PUT',
    path: '/v1/calendars/{name}',
    operationId: 'putCalendar',
    summary: 'Makes a calendar, or another one of it; series that have it are computed anew',
    roles: ['customer', 'operator'],
    params,
    body: calendarSchema,
    answers: { 200: { description: 'The calendar', schema: calendar } },
    handle: async ({ principal: { tenant }, params: { name }, body }) => {
      await ports.tenants.require(tenant).catch(asProblem);
      const put = await ports.calendars.put(tenant, name, body).catch(calendarProblem);
      await recomputeUsers(ports, { tenant, name });
      return { json: jsonOf(put) };
    },
  });
}

function removeRoute(ports: CalendarPorts): Route {
  return defineRoute({
    method: 'DELETE',
    path: '/v1/calendars/{name}',
    operationId: 'removeCalendar',
    summary: 'Removes a calendar; what was computed by it is withdrawn',
    roles: ['customer', 'operator'],
    params,
    answers: { 204: { description: 'It is gone' } },
    handle: async ({ principal: { tenant }, params: { name } }) => {
      await ports.calendars.remove(tenant, name).catch(calendarNotFound);
      await recomputeUsers(ports, { tenant, name });
      return { status: 204 };
    },
  });
}

/** Of everything that has, or had, the calendar; of all series where the tenant's default has it. */
async function recomputeUsers(
  ports: CalendarPorts,
  { tenant, name }: { readonly tenant: string; readonly name: string },
): Promise<void> {
  const uses = ({ calendars, formerCalendars }: Awaited<ReturnType<CalendarPorts['series']['current']>>): boolean =>
    calendars.includes(name) || formerCalendars.includes(name);
  if (uses(await ports.series.current(tenant))) {
    const [any] = await ports.sources.list(tenant, { limit: 1 });
    if (any !== undefined) {
      await settingsSpread(ports);
      await ports.recomputes.recompute({ tenant });
    }
    return;
  }
  const touched = async function* (): AsyncGenerator<TouchedSeries> {
    for await (const { series, settings } of ports.series.all(tenant)) {
      if (uses(settings)) {
        yield { series, fromMs: -instantMsMax, toMs: instantMsMax };
      }
    }
  };
  await recompute(ports, tenant, touched());
}

function jsonOf({ name, definition }: NamedCalendar): { readonly name: string } {
  return { name, ...definition };
}

function calendarNotFound(error: unknown): never {
  if (error instanceof UnknownCalendarError) {
    throw new Problem('not-found', error.message, { cause: error });
  }
  throw error;
}

/** What is wrong with a calendar that somebody names or makes. */
export function calendarProblem(error: unknown): never {
  if (error instanceof UnknownCalendarError || error instanceof CalendarRefusedError) {
    throw new Problem('invalid-request', error.message, { cause: error });
  }
  throw error;
}
