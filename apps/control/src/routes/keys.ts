import { defineRoute, Problem, type Route } from '@meterflow/http';
import { KeyNotRotatableError, roles, UnknownKeyError, type ApiKey, type IssuedKey } from '@meterflow/registry';
import { z } from 'zod';
import type { ControlPorts } from '../ports.ts';
import { asProblem } from './tenants.ts';

const daySeconds = 86_400;
const overlapSecondsMax = 90 * daySeconds;

const key = z.object({
  id: z.string(),
  tenant: z.string(),
  role: z.enum(roles),
  label: z.string(),
  createdAt: z.string(),
  revokedAt: z.string().optional(),
  validSecrets: z.number().int().describe('2 in the overlap of a rotation, 0 once it is revoked'),
});
const issued = key.extend({ key: z.string().describe('the key itself; it is shown this once') });
const tenant = z.string().min(1).max(63).optional().describe('the tenant of the operator’s own key unless given');
const params = z.object({ id: z.string().min(1).max(64) });

type KeyPorts = Pick<ControlPorts, 'keys' | 'nowMs'>;

/** Operators run the pipeline: they see to the keys of all tenants. */
export function keyRoutes(ports: KeyPorts): readonly Route[] {
  return [listRoute(ports), createRoute(ports), rotateRoute(ports), revokeRoute(ports)];
}

function listRoute({ keys }: KeyPorts): Route {
  return defineRoute({
    method: 'GET',
    path: '/v1/keys',
    operationId: 'listKeys',
    summary: 'The keys of a tenant, oldest first, without their secrets',
    roles: ['operator'],
    query: z.strictObject({ tenant }),
    answers: { 200: { description: 'The keys', schema: z.object({ keys: z.array(key) }) } },
    handle: async ({ principal, query }) => ({
      json: { keys: (await keys.list(query.tenant ?? principal.tenant)).map(jsonOf) },
    }),
  });
}

function createRoute({ keys }: KeyPorts): Route {
  return defineRoute({
    method: 'POST',
    path: '/v1/keys',
    operationId: 'createKey',
    summary: 'A new key; its secret is in this answer and nowhere else',
    roles: ['operator'],
    body: z.strictObject({ tenant, role: z.enum(roles), label: z.string().max(200).default('') }),
    answers: { 201: { description: 'The key', schema: issued } },
    handle: async ({ principal, body: { role, label, ...body } }) => {
      const created = await keys.create({ tenant: body.tenant ?? principal.tenant, role, label }).catch(asProblem);
      return { status: 201, json: issuedOf(created) };
    },
  });
}

function rotateRoute({ keys, nowMs }: KeyPorts): Route {
  return defineRoute({
    method: 'POST',
    path: '/v1/keys/{id}/rotate',
    operationId: 'rotateKey',
    summary: 'A new secret for a key; the old one stays valid for the overlap',
    roles: ['operator'],
    params,
    body: z.strictObject({ tenant, overlapSeconds: z.number().min(0).max(overlapSecondsMax).default(daySeconds) }),
    answers: { 200: { description: 'The key', schema: issued } },
    handle: async ({ principal, params: { id }, body }) => {
      const oldValidUntilMs = nowMs() + body.overlapSeconds * 1000;
      const rotated = await keys.rotate(body.tenant ?? principal.tenant, id, oldValidUntilMs).catch(keyProblem);
      return { json: issuedOf(rotated) };
    },
  });
}

function revokeRoute({ keys }: KeyPorts): Route {
  return defineRoute({
    method: 'DELETE',
    path: '/v1/keys/{id}',
    operationId: 'revokeKey',
    summary: 'Ends a key at once',
    roles: ['operator'],
    params,
    query: z.strictObject({ tenant }),
    answers: { 200: { description: 'The key', schema: key } },
    handle: async ({ principal, params: { id }, query }) => ({
      json: jsonOf(await keys.revoke(query.tenant ?? principal.tenant, id).catch(keyProblem)),
    }),
  });
}

function jsonOf({
  keyId,
  tenant: owner,
  role,
  label,
  createdAtMs,
  revokedAtMs,
  validSecrets,
}: ApiKey): z.infer<typeof key> {
  const createdAt = new Date(createdAtMs).toISOString();
  const revoked = revokedAtMs === undefined ? {} : { revokedAt: new Date(revokedAtMs).toISOString() };
  return { id: keyId, tenant: owner, role, label, createdAt, ...revoked, validSecrets };
}

function issuedOf({ key: created, text }: IssuedKey): z.infer<typeof issued> {
  return { ...jsonOf(created), key: text };
}

function keyProblem(error: unknown): never {
  if (error instanceof UnknownKeyError) {
    throw new Problem('not-found', error.message, { cause: error });
  }
  if (error instanceof KeyNotRotatableError) {
    throw new Problem('conflict', error.message, { cause: error });
  }
  throw error;
}
