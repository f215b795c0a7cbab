import type { DeadLetterLine } from '@meterflow/embedded';
import { defineRoute, Problem, type Route } from '@meterflow/http';
import { whyCharsMax } from '@meterflow/registry';
import { z } from 'zod';
import type { ControlPorts } from '../ports.ts';

const lettersPerPageMax = 1_000;
const idsPerRequestMax = 1_000;
const idCharsMax = 400;

const id = z.string().min(1).max(idCharsMax);
const line = z.object({
  id: z.string(),
  state: z.enum(['dead', 'parked', 'purged']),
  stage: z.string(),
  subscription: z.string(),
  key: z.string(),
  tenant: z.string().describe('empty where the message could not be decoded'),
  reasonCode: z.string(),
  reason: z.string(),
  at: z.string(),
  payloadBytes: z.number().int(),
});
const letter = line.extend({
  payload: z.string().describe('base64'),
  attributes: z.record(z.string(), z.string()),
  causes: z.array(z.object({ sourceId: z.string(), key: z.string(), part: z.number().int(), parts: z.number().int() })),
  layers: z.array(z.string()),
});

type DeskPorts = Pick<ControlPorts, 'deadLetters' | 'audited'>;

/** Operators run the pipeline: dead letters are those of all tenants. */
export function deadLetterRoutes(ports: DeskPorts): readonly Route[] {
  return [listRoute(ports), showRoute(ports), commandRoute(ports, 'retry'), commandRoute(ports, 'purge')];
}

function listRoute({ deadLetters }: DeskPorts): Route {
  return defineRoute({
    method: 'GET',
    path: '/v1/dead-letters',
    operationId: 'listDeadLetters',
    summary: 'What no retry of the stages could mend, newest first',
    roles: ['operator'],
    query: z.strictObject({
      state: z.enum(['dead', 'parked', 'purged']).optional(),
      stage: z.string().max(100).optional(),
      tenant: z.string().max(63).optional(),
      reasonCode: z.string().max(100).optional(),
      limit: z.coerce.number().int().min(1).max(lettersPerPageMax).default(100),
      before: z
        .string()
        .max(idCharsMax + 20)
        .regex(/^\d{1,16}\../, 'not the `next` of a page')
        .optional()
        .describe('the `next` of the page before'),
    }),
    answers: {
      200: { description: 'A page', schema: z.object({ deadLetters: z.array(line), next: z.string().optional() }) },
    },
    handle: async ({ query: { before, limit, ...filter } }) => {
      const given = Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined));
      const position = before === undefined ? {} : { before: positionOf(before) };
      const lines = await deadLetters.list({ ...given, limit, ...position });
      const last = lines.at(-1);
      const next = last === undefined || lines.length < limit ? undefined : `${last.atMs}.${last.id}`;
      return { json: { deadLetters: lines.map(jsonOf), next } };
    },
  });
}

function showRoute({ deadLetters }: DeskPorts): Route {
  return defineRoute({
    method: 'GET',
    path: '/v1/dead-letters/{id}',
    operationId: 'getDeadLetter',
    summary: 'One dead letter with its original bytes',
    roles: ['operator'],
    params: z.object({ id }),
    answers: { 200: { description: 'The dead letter', schema: letter } },
    handle: async ({ params }) => {
      const shown = await deadLetters.show(params.id);
      if (shown === undefined) {
        throw new Problem('not-found', `there is no dead letter ${params.id}, or it was purged`);
      }
      const { payload, attributes, causes, layers } = shown;
      const bytes = { payloadBytes: payload.length, payload: Buffer.from(payload).toString('base64') };
      return { json: { ...jsonOf({ ...shown, ...bytes }), payload: bytes.payload, attributes, causes, layers } };
    },
  });
}

const commands = {
  retry: { summary: 'Sends dead letters to their stages once more', answer: 'retried' },
  purge: { summary: 'Drops dead letters for good', answer: 'purged' },
} as const;

function commandRoute({ deadLetters, audited }: DeskPorts, command: keyof typeof commands): Route {
  const { summary, answer } = commands[command];
  const ids = z.array(id).min(1).max(idsPerRequestMax);
  return defineRoute({
    method: 'POST',
    path: `/v1/dead-letters/${command}`,
    operationId: `${command}DeadLetters`,
    summary,
    roles: ['operator'],
    body: z.strictObject({ ids, why: z.string().max(whyCharsMax).default('').describe('kept in the audit trail') }),
    answers: {
      200: {
        description: 'The ids that it was done to; the others are unknown or were purged',
        schema: z.object({ [answer]: z.array(z.string()) }),
      },
    },
    handle: async ({ principal, body }) => {
      const tenants = await tenantsOf(deadLetters, body.ids);
      const who = await audited.nameOf(principal, undefined);
      const act = { who, what: `dead-letters-${answer}`, subject: idsText(body.ids), why: body.why } as const;
      // A line for each tenant, around each other: the innermost is around the step itself.
      const done = await [...new Set([principal.tenant, ...tenants])].reduce<() => Promise<readonly string[]>>(
        (work, tenant) => () =>
          audited.step(tenant, act, async () => {
            const result = await work();
            return { result, subject: result.length === 0 ? undefined : idsText(result) };
          }),
        () => deadLetters[command](body.ids),
      )();
      return { json: { [answer]: [...done] } };
    },
  });
}

/** In the audit trail. */
const idsShownMax = 3;

function idsText(ids: readonly string[]): string {
  return `${ids.length}: ${ids.slice(0, idsShownMax).join(', ')}${ids.length > idsShownMax ? ' …' : ''}`;
}

/** Whose letters they are: it is theirs to know. */
async function tenantsOf(deadLetters: DeskPorts['deadLetters'], ids: readonly string[]): Promise<ReadonlySet<string>> {
  const tenants = new Set<string>();
  for (const each of ids) {
    const tenant = (await deadLetters.show(each))?.tenant ?? '';
    if (tenant !== '') {
      tenants.add(tenant);
    }
  }
  return tenants;
}

function jsonOf(shown: DeadLetterLine): object {
  const { id: letterId, state, stage, subscription, key, tenant, reasonCode, reason, atMs, payloadBytes } = shown;
  const at = new Date(atMs).toISOString();
  return { id: letterId, state, stage, subscription, key, tenant, reasonCode, reason, at, payloadBytes };
}

function positionOf(before: string): { atMs: number; id: string } {
  const dot = before.indexOf('.');
  return { atMs: Number(before.slice(0, dot)), id: before.slice(dot + 1) };
}
