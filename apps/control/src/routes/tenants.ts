import { defineRoute, Problem, type Route } from '@meterflow/http';
import { InvalidReadingError } from '@meterflow/readings';
import {
  queryableWithinMsSchema,
  quotasSchema,
  seriesSettingsSchema,
  TenantExistsError,
  unknownSeriesPolicies,
  UnknownTenantError,
  type Tenant,
  type TenantChange,
  type UnknownSeriesPolicy,
} from '@meterflow/registry';
import { z } from 'zod';
import type { ControlPorts } from '../ports.ts';

const unknownSeries = z.enum(unknownSeriesPolicies);
const tenant = z.object({
  name: z.string(),
  createdAt: z.string(),
  quotas: quotasSchema,
  queryableWithinMs: queryableWithinMsSchema.describe('the promise: so soon after acceptance readings can be queried'),
  unknownSeries: unknownSeries.describe('what becomes of readings of a series that is not registered'),
});
const name = z.object({ name: z.string().min(1).max(63) });
const quotas = quotasSchema.partial().strict();
const seriesPart = seriesSettingsSchema.partial().strict();

type TenantPorts = Pick<ControlPorts, 'tenants' | 'series'>;

export function tenantRoutes(ports: TenantPorts): readonly Route[] {
  return [listRoute(ports), createRoute(ports), showRoute(ports), changeRoute(ports)];
}

function listRoute({ tenants }: TenantPorts): Route {
  return defineRoute({
    method: 'GET',
    path: '/v1/tenants',
    operationId: 'listTenants',
    summary: 'All tenants, by name',
    roles: ['operator'],
    answers: { 200: { description: 'The tenants', schema: z.object({ tenants: z.array(tenant) }) } },
    handle: async () => ({ json: { tenants: (await tenants.list()).map(jsonOf) } }),
  });
}

function createRoute({ tenants, series }: TenantPorts): Route {
  return defineRoute({
    method: 'POST',
    path: '/v1/tenants',
    operationId: 'createTenant',
    summary: 'A new tenant',
    roles: ['operator'],
    body: name
      .extend({ quotas: quotas.optional(), series: seriesPart.optional().describe('defaults of its series') })
      .strict(),
    answers: { 201: { description: 'The tenant', schema: tenant } },
    handle: async ({ body }) => {
      const created = await tenants.create(body.name, given(body.quotas ?? {})).catch(asProblem);
      if (body.series !== undefined) {
        await series.beginDefault(created.name, body.series);
      }
      return { status: 201, headers: { location: `/v1/tenants/${created.name}` }, json: jsonOf(created) };
    },
  });
}

function showRoute({ tenants }: TenantPorts): Route {
  return defineRoute({
    method: 'GET',
    path: '/v1/tenants/{name}',
    operationId: 'getTenant',
    summary: 'One tenant',
    roles: ['operator'],
    params: name,
    answers: { 200: { description: 'The tenant', schema: tenant } },
    handle: async ({ params }) => ({ json: jsonOf(await tenants.require(params.name).catch(asProblem)) }),
  });
}

function changeRoute({ tenants }: TenantPorts): Route {
  return defineRoute({
    method: 'PATCH',
    path: '/v1/tenants/{name}',
    operationId: 'changeTenant',
    summary: 'Other quotas, another promise, unknown series; what is not given stays',
    roles: ['operator'],
    params: name,
    body: z.strictObject({
      quotas: quotas.optional(),
      queryableWithinMs: queryableWithinMsSchema.optional(),
      unknownSeries: unknownSeries.optional(),
    }),
    answers: { 200: { description: 'The tenant', schema: tenant } },
    handle: async ({ params, body }) => ({
      json: jsonOf(await tenants.change(params.name, changeOf(body)).catch(asProblem)),
    }),
  });
}

type GivenQuotas = { [Name in keyof Tenant['quotas']]?: number };

function given(parsed: z.infer<typeof quotas>): GivenQuotas {
  return Object.fromEntries(Object.entries(parsed).filter(([, value]) => value !== undefined));
}

function changeOf(body: {
  quotas?: z.infer<typeof quotas> | undefined;
  queryableWithinMs?: number | undefined;
  unknownSeries?: UnknownSeriesPolicy | undefined;
}): TenantChange {
  const { quotas: granted, queryableWithinMs, unknownSeries: policy } = body;
  return {
    ...(granted === undefined ? {} : { quotas: given(granted) }),
    ...(queryableWithinMs === undefined ? {} : { queryableWithinMs }),
    ...(policy === undefined ? {} : { unknownSeries: policy }),
  };
}

function jsonOf({ name: tenantName, createdAtMs, quotas: granted, ...others }: Tenant): z.infer<typeof tenant> {
  const { queryableWithinMs, unknownSeries: policy } = others;
  return {
    name: tenantName,
    createdAt: new Date(createdAtMs).toISOString(),
    quotas: granted,
    queryableWithinMs,
    unknownSeries: policy,
  };
}

/** Also for keys, which need their tenant. */
export function asProblem(error: unknown): never {
  if (error instanceof TenantExistsError) {
    throw new Problem('conflict', error.message, { cause: error });
  }
  if (error instanceof UnknownTenantError) {
    throw new Problem('not-found', error.message, { cause: error });
  }
  if (error instanceof InvalidReadingError) {
    throw new Problem('invalid-request', error.message, { cause: error });
  }
  throw error;
}
