import { defineRoute, Problem, type Route } from '@meterflow/http';
import { identifierCharsMax, type SeriesName } from '@meterflow/readings';
import {
  GroupRefusedError,
  groupNameCharsMax,
  groupOfMeter,
  groupSchema,
  instantMsMax,
  RevisionConflictError,
  UnknownGroupError,
  type GroupsSnapshot,
  type StoredGroup,
  type TouchedSeries,
} from '@meterflow/registry';
import { z } from 'zod';
import type { ControlPorts } from '../ports.ts';
import { noted } from '../recompute-due.ts';
import { recompute, recomputeScope } from '../recompute-scope.ts';
import { asProblem } from './tenants.ts';

const name = z.string().min(1).max(groupNameCharsMax);
const instant = z.iso.datetime({ offset: true });
const revision = z.coerce
  .number()
  .int()
  .min(0)
  .optional()
  .describe('the one that it must have now; 0: there must be none');
const group = z.looseObject({ ...groupSchema.shape, revision: z.number().int() });
const pageMax = 1_000;

type GroupPorts = Pick<
  ControlPorts,
  'groups' | 'groupsNow' | 'series' | 'recomputes' | 'dueRecomputes' | 'tenants' | 'sources' | 'sleep'
>;

/** Groups of series; each tenant has its own. What a change touches is computed anew. */
export function groupRoutes(ports: GroupPorts): readonly Route[] {
  return [
    listRoute(ports),
    showRoute(ports),
    putRoute(ports),
    removeRoute(ports),
    membersRoute(ports),
    changeMembersRoute(ports),
  ];
}

function listRoute({ groups }: GroupPorts): Route {
  return defineRoute({
    method: 'GET',
    path: '/v1/groups',
    operationId: 'listGroups',
    summary: 'Groups, by name',
    roles: ['customer', 'operator'],
    query: z.strictObject({ limit: z.coerce.number().int().min(1).max(pageMax).default(100), after: name.optional() }),
    answers: {
      200: { description: 'A page', schema: z.object({ groups: z.array(group), next: z.string().optional() }) },
    },
    handle: async ({ principal: { tenant }, query: { limit, after } }) => {
      const found = await groups.list(tenant, { limit: limit + 1, ...(after === undefined ? {} : { after }) });
      const shown = found.slice(0, limit).map(jsonOf);
      return { json: { groups: shown, ...(found.length > limit ? { next: shown.at(-1)?.name } : {}) } };
    },
  });
}

function showRoute({ groups }: GroupPorts): Route {
  return defineRoute({
    method: 'GET',
    path: '/v1/groups/{name}',
    operationId: 'getGroup',
    summary: 'One group',
    roles: ['customer', 'operator'],
    params: z.strictObject({ name }),
    answers: { 200: { description: 'The group', schema: group } },
    handle: async ({ principal: { tenant }, params }) => ({ json: jsonOf(await known(groups, tenant, params.name)) }),
  });
}

function putRoute(ports: GroupPorts): Route {
  return defineRoute({
    method: 'PUT',
    path: '/v1/groups/{name}',
    operationId: 'putGroup',
    summary: 'Makes a group, or another one of it',
    roles: ['customer', 'operator'],
    params: z.strictObject({ name }),
    query: z.strictObject({ revision }),
    body: groupSchema.omit({ name: true }),
    answers: { 200: { description: 'The group', schema: group } },
    handle: async ({ principal: { tenant }, params, query, body }) => {
      await ports.tenants.require(tenant).catch(asProblem);
      const before = await ports.groupsNow.snapshot(tenant);
      const put = await noted(ports, dueOf(tenant, params.name), async () => {
        const made = await ports.groups.put(tenant, { ...body, name: params.name }, query.revision).catch(groupProblem);
        const after = await ports.groupsNow.snapshot(tenant);
        await recompute(ports, tenant, leavesOf([before, after], params.name));
        return made;
      });
      return { json: jsonOf(put) };
    },
  });
}

function removeRoute(ports: GroupPorts): Route {
  return defineRoute({
    method: 'DELETE',
    path: '/v1/groups/{name}',
    operationId: 'removeGroup',
    summary: 'Removes a group that no other counts; its aggregates are withdrawn. May be repeated',
    roles: ['customer', 'operator'],
    params: z.strictObject({ name }),
    query: z.strictObject({ revision }),
    answers: { 204: { description: 'It is gone' } },
    handle: async ({ principal: { tenant }, params, query }) => {
      const due = dueOf(tenant, params.name);
      await noted(ports, due, async () => {
        const before = await ports.groups.get(tenant, params.name);
        const members = await ports.groupsNow.snapshot(tenant);
        await ports.groups.remove(tenant, params.name, query.revision).catch(groupProblem);
        // Whoever removed it before may have been cut off: who was in it by then, nobody knows but by what is remembered.
        await (before?.isRemoved === true
          ? recomputeScope(ports, tenant, due.scope)
          : recompute(ports, tenant, leavesOf([members], params.name)));
      });
      return { status: 204 };
    },
  });
}

function membersRoute({ groups, groupsNow }: GroupPorts): Route {
  return defineRoute({
    method: 'GET',
    path: '/v1/groups/{name}/members',
    operationId: 'listGroupMembers',
    summary: 'What counts in a group directly, and when, as NDJSON',
    roles: ['customer', 'operator'],
    params: z.strictObject({ name }),
    answers: { 200: { description: 'One line a member', mediaType: 'application/x-ndjson' } },
    handle: async ({ principal: { tenant }, params }) => {
      await known(groups, tenant, params.name);
      const snapshot = await groupsNow.snapshot(tenant);
      return {
        headers: { 'content-type': 'application/x-ndjson' },
        stream: (async function* () {
          for await (const { of, fromMs, toMs, factor } of snapshot.membersOf(params.name)) {
            const validity = {
              ...(fromMs === -instantMsMax ? {} : { validFrom: new Date(fromMs).toISOString() }),
              ...(toMs === instantMsMax ? {} : { validTo: new Date(toMs).toISOString() }),
            };
            yield `${JSON.stringify({ ...of, ...validity, ...(factor === '1' ? {} : { factor }) })}\n`;
          }
        })(),
      };
    },
  });
}

function changeMembersRoute(ports: GroupPorts): Route {
  return defineRoute({
    method: 'POST',
    path: '/v1/groups/{name}/members',
    operationId: 'changeGroupMembers',
    summary: 'Makes a series a member of a group of members, or no member, within a validity',
    roles: ['customer', 'operator'],
    params: z.strictObject({ name }),
    body: z.strictObject({
      meter: z
        .string()
        .min(1)
        .max(identifierCharsMax)
        .refine(
          (meter) => groupOfMeter(meter) === undefined,
          'a group is no member: a group of children, or of terms, counts others',
        ),
      channel: z.string().min(1).max(identifierCharsMax).default('import'),
      member: z.boolean().default(true),
      validFrom: instant.optional(),
      validTo: instant.optional(),
    }),
    answers: { 200: { description: 'Done', schema: z.object({ changed: z.boolean() }) } },
    handle: async ({ principal: { tenant }, params, body }) => {
      const { definition } = await known(ports.groups, tenant, params.name);
      if (definition.source.kind !== 'members') {
        const detail = `the group ${params.name} has no explicit members: its source is ${definition.source.kind}`;
        throw new Problem('invalid-request', detail);
      }
      const { meter, channel, member, validFrom, validTo } = body;
      const validity = {
        fromMs: validFrom === undefined ? -instantMsMax : Date.parse(validFrom),
        ...(validTo === undefined ? {} : { toMs: Date.parse(validTo) }),
      };
      const facts = { groups: { [params.name]: member ? (true as const) : null } };
      const series = { meter, channel };
      const isChanged = await noted(ports, { tenant, scope: { of: 'series', series: [series] } }, async () => {
        const applied = await ports.series.apply(tenant, [{ series, part: {}, facts, validity }]);
        await recompute(ports, tenant, applied.touched);
        return applied.changed > 0;
      });
      return { json: { changed: isChanged } };
    },
  });
}

/** A group's change touches all that is, was, or comes to be in it. */
function dueOf(tenant: string, groupName: string) {
  return { tenant, scope: { of: 'group', name: groupName } } as const;
}

async function known(groups: GroupPorts['groups'], tenant: string, groupName: string): Promise<StoredGroup> {
  const stored = await groups.get(tenant, groupName);
  if (stored === undefined || stored.isRemoved) {
    throw new Problem('not-found', `there is no group ${groupName}`);
  }
  return stored;
}

/** Every series below a group as it was and is, when it counted; some of them several times. */
async function* leavesOf(snapshots: readonly GroupsSnapshot[], groupName: string): AsyncGenerator<TouchedSeries> {
  for (const snapshot of snapshots) {
    const open = [groupName];
    const seen = new Set(open);
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      for await (const { of, fromMs, toMs } of snapshot.membersOf(next)) {
        if (isSeries(of)) {
          yield { series: of, fromMs, toMs };
        } else if (!seen.has(of.group)) {
          seen.add(of.group);
          open.push(of.group);
        }
      }
    }
  }
}

function isSeries(of: SeriesName | { readonly group: string }): of is SeriesName {
  return 'meter' in of;
}

function jsonOf({
  definition,
  revision: number,
}: StoredGroup): StoredGroup['definition'] & { readonly revision: number } {
  return { ...definition, revision: number };
}

function groupProblem(error: unknown): never {
  if (error instanceof GroupRefusedError) {
    throw new Problem('invalid-request', error.message, { cause: error });
  }
  if (error instanceof UnknownGroupError) {
    throw new Problem('not-found', error.message, { cause: error });
  }
  if (error instanceof RevisionConflictError) {
    throw new Problem('conflict', error.message, { cause: error });
  }
  throw error;
}
