import { defineRoute, Problem, type Route } from '@meterflow/http';
import type { Receipt } from '@meterflow/receipts';
import { z } from 'zod';
import type { ControlPorts } from '../ports.ts';
import { waitForReceipt } from '../wait-for-receipt.ts';

const sourcesPerPageMax = 200;
const linesPerPageMax = 10_000;
const waitSecondsMax = 60;

const id = z.object({ id: z.string().min(1).max(100) });
const count = z.number().int();
const reject = z.object({
  line: count,
  column: z.string().describe('empty where the whole line is meant'),
  code: z.string(),
  reason: z.string(),
  text: z.string().describe('the line as it came, cut'),
});
const receipt = z.object({
  sourceId: z.string(),
  tenant: z.string(),
  label: z.string(),
  state: z.enum(['receiving', 'processing', 'complete']),
  acceptedAt: z.string(),
  received: count,
  accepted: count,
  rejected: count,
  rejectsListed: count.describe('how many of them are under /rejects: all, up to a million'),
  rejects: z.array(reject).describe('the first ones'),
  repeated: count.describe('readings that the source itself brings more than once'),
  gaps: count.describe('holes between readings of a series, which `missing` readings would fill'),
  missing: count,
  assumed: count.describe('readings whose interval length nothing told: they count as 15 minutes'),
  remarks: z.array(reject).describe('the first lines before which there is a gap, or that repeat one; see /remarks'),
  duplicates: count,
  inserted: count,
  superseded: count,
  shadowed: count,
  conflicts: count,
  aggregatesWritten: count,
  batches: count,
  batchesDead: count,
  batchesParked: count,
  seconds: z.number(),
});

const roles = ['provider', 'customer', 'operator'] as const;

export function sourcesRoutes(ports: Pick<ControlPorts, 'sources' | 'nowMs' | 'sleep'>): readonly Route[] {
  return [listRoute(ports), showRoute(ports), linesRoute(ports, rejectLines), linesRoute(ports, remarkLines)];
}

function listRoute({ sources }: Pick<ControlPorts, 'sources'>): Route {
  return defineRoute({
    method: 'GET',
    path: '/v1/sources',
    operationId: 'listSources',
    summary: 'The receipts of what was taken in, newest first',
    roles: [...roles],
    query: z.strictObject({
      limit: z.coerce.number().int().min(1).max(sourcesPerPageMax).default(50),
      before: z.string().max(100).optional().describe('the `next` of the page before'),
    }),
    answers: {
      200: { description: 'A page', schema: z.object({ sources: z.array(receipt), next: z.string().optional() }) },
    },
    handle: async ({ principal: { tenant }, query: { limit, before } }) => {
      const found = await sources.list(tenant, { limit, ...(before === undefined ? {} : { before }) });
      return { json: { sources: found, next: found.length === limit ? found.at(-1)?.sourceId : undefined } };
    },
  });
}

function showRoute(ports: Pick<ControlPorts, 'sources' | 'nowMs' | 'sleep'>): Route {
  return defineRoute({
    method: 'GET',
    path: '/v1/sources/{id}',
    operationId: 'getSource',
    summary: 'The receipt of one source: what became of it',
    roles: [...roles],
    params: id,
    query: z.strictObject({
      waitSeconds: z.coerce
        .number()
        .min(0)
        .max(waitSecondsMax)
        .default(0)
        .describe('answers when the source is complete, or after so long as it then is'),
    }),
    answers: { 200: { description: 'The receipt', schema: receipt } },
    handle: async ({ principal: { tenant }, params, query: { waitSeconds }, signal }) => {
      const waitMs = waitSeconds * 1000;
      return { json: found(await waitForReceipt(ports, { tenant, sourceId: params.id, waitMs, signal }), params.id) };
    },
  });
}

interface LinesOf {
  readonly name: 'rejects' | 'remarks';
  readonly operationId: string;
  readonly summary: string;
}

const rejectLines: LinesOf = {
  name: 'rejects',
  operationId: 'listRejects',
  summary: 'The lines that were not taken, and why, in their order',
};
const remarkLines: LinesOf = {
  name: 'remarks',
  operationId: 'listRemarks',
  summary: 'The lines that repeat a reading, or before which some are missing, in their order',
};

function linesRoute({ sources }: Pick<ControlPorts, 'sources'>, { name, operationId, summary }: LinesOf): Route {
  return defineRoute({
    method: 'GET',
    path: `/v1/sources/{id}/${name}`,
    operationId,
    summary,
    roles: [...roles],
    params: id,
    query: z.strictObject({
      limit: z.coerce.number().int().min(1).max(linesPerPageMax).default(1_000),
      afterLine: z.coerce.number().int().min(0).default(0),
    }),
    answers: {
      200: { description: 'A page', schema: z.object({ [name]: z.array(reject), nextAfterLine: count.optional() }) },
    },
    handle: async ({ principal: { tenant }, params, query }) => {
      found(await sources.receipt(tenant, params.id), params.id);
      const lines = await sources[name](tenant, params.id, query);
      const nextAfterLine = lines.length === query.limit ? lines.at(-1)?.line : undefined;
      return { json: { [name]: lines, nextAfterLine } };
    },
  });
}

function found(known: Receipt | undefined, sourceId: string): Receipt {
  if (known === undefined) {
    throw new Problem('not-found', `there is no source ${sourceId}`);
  }
  return known;
}
