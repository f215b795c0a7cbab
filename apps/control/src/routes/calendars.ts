import { defineRoute, Problem, type Route } from '@meterflow/http';
import {
  calendarNameSchema,
  calendarSchema,
  CalendarRefusedError,
  UnknownCalendarError,
  type NamedCalendar,
} from '@meterflow/registry';
import { z } from 'zod';
import type { ControlPorts } from '../ports.ts';
import { noted } from '../recompute-due.ts';
import { recomputeScope, type RecomputeScopePorts } from '../recompute-scope.ts';
import { asProblem } from './tenants.ts';

type CalendarPorts = RecomputeScopePorts & Pick<ControlPorts, 'calendars' | 'dueRecomputes' | 'tenants'>;

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
      const scope = { of: 'calendar', name } as const;
      const put = await noted(ports, { tenant, scope }, async () => {
        const made = await ports.calendars.put(tenant, name, body).catch(calendarProblem);
        await recomputeScope(ports, tenant, scope);
        return made;
      });
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
      const scope = { of: 'calendar', name } as const;
      await noted(ports, { tenant, scope }, async () => {
        await ports.calendars.remove(tenant, name).catch(calendarNotFound);
        await recomputeScope(ports, tenant, scope);
      });
      return { status: 204 };
    },
  });
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
