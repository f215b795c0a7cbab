import { defineRoute, Problem, type Route } from '@meterflow/http';
import { instantMsMax, reprocessStates, UnknownReprocessError, whyCharsMax, type Reprocess } from '@meterflow/registry';
import { z } from 'zod';
import type { ControlPorts } from '../ports.ts';
import { instant } from '../query-span.ts';

const shownMax = 100;
const count = z.number().int();
const reprocess = z.object({
  id: z.string(),
  state: z.enum(reprocessStates).describe('done: the stage has computed anew all that it was told of'),
  from: z.string().nullable().describe('null: of all times'),
  to: z.string().nullable(),
  who: z.string(),
  why: z.string(),
  createdAt: z.string(),
  notBefore: z.string(),
  endedAt: z.string().optional(),
  series: z.object({ done: count, of: count }),
  days: count.describe('days of series told so far'),
  notices: count,
  secondsLeft: count.optional().describe('as it went until now'),
});
const why = z.string().max(whyCharsMax).default('').describe('kept in the audit trail');

type ReprocessPorts = Pick<ControlPorts, 'reprocesses' | 'nowMs' | 'audited' | 'newId'>;

/** Stored raw readings computed anew, under what counts now. */
export function reprocessRoutes(ports: ReprocessPorts): readonly Route[] {
  return [startRoute(ports), listRoute(ports), showRoute(ports), cancelRoute(ports)];
}

function startRoute({ reprocesses, nowMs, audited, newId }: ReprocessPorts): Route {
  return defineRoute({
    method: 'POST',
    path: '/v1/reprocesses',
    operationId: 'startReprocess',
    summary:
      'Compute a span anew from stored raw readings, under what counts now; each activation starts one of itself',
    roles: ['customer', 'operator'],
    body: z.strictObject({
      from: instant.describe('first instant, ISO 8601 with offset, or a date of UTC'),
      to: instant.describe('first instant that is not in it any more'),
      why,
      author: z.string().min(1).max(200).optional().describe('who asks, beside the key’s name'),
    }),
    answers: { 201: { description: 'It is asked for, durably', schema: reprocess } },
    handle: async ({ principal, body: { from, to, why: reason, author } }) => {
      if (!(from < to)) {
        throw new Problem('invalid-request', '`from` must lie before `to`');
      }
      const who = await audited.nameOf(principal, author);
      const request = { id: `asked-${newId()}`, fromMs: from, toMs: to, who, why: reason, notBeforeMs: nowMs() };
      const act = { who, what: 'reprocess-asked', subject: request.id, why: reason } as const;
      const made = await audited.step(principal.tenant, act, async () => {
        const result = await reprocesses.add(principal.tenant, request);
        return { result, subject: result.id };
      });
      return { status: 201, json: jsonOf(made, nowMs()) };
    },
  });
}

function listRoute({ reprocesses, nowMs }: ReprocessPorts): Route {
  return defineRoute({
    method: 'GET',
    path: '/v1/reprocesses',
    operationId: 'listReprocesses',
    summary: `The last ${shownMax}, those not ended first`,
    roles: ['customer', 'operator'],
    answers: { 200: { description: 'They', schema: z.object({ reprocesses: z.array(reprocess) }) } },
    handle: async ({ principal }) => {
      const found = await reprocesses.list(principal.tenant, shownMax);
      return { json: { reprocesses: found.map((each) => jsonOf(each, nowMs())) } };
    },
  });
}

const idOf = z.object({ id: z.string().min(1).max(64) });

function showRoute({ reprocesses, nowMs }: ReprocessPorts): Route {
  return defineRoute({
    method: 'GET',
    path: '/v1/reprocesses/{id}',
    operationId: 'getReprocess',
    summary: 'One, with its progress',
    roles: ['customer', 'operator'],
    params: idOf,
    answers: { 200: { description: 'It', schema: reprocess } },
    handle: async ({ principal: { tenant }, params: { id } }) => {
      const found = await reprocesses.get(tenant, id);
      if (found === undefined) {
        throw new Problem('not-found', `there is no reprocess ${id}`);
      }
      return { json: jsonOf(found, nowMs()) };
    },
  });
}

function cancelRoute({ reprocesses, nowMs, audited }: ReprocessPorts): Route {
  return defineRoute({
    method: 'POST',
    path: '/v1/reprocesses/{id}/cancel',
    operationId: 'cancelReprocess',
    summary: 'End one early: what was told by then is computed anew, the rest stays as it is',
    roles: ['customer', 'operator'],
    params: idOf,
    body: z.strictObject({ why, author: z.string().min(1).max(200).optional() }),
    answers: { 200: { description: 'It', schema: reprocess } },
    handle: async ({ principal, params: { id }, body }) => {
      const who = await audited.nameOf(principal, body.author);
      const act = { who, what: 'reprocess-cancelled', subject: id, why: body.why } as const;
      const ended = await audited.step(principal.tenant, act, async () => {
        const result = await reprocesses.cancel(principal.tenant, id).catch((error: unknown) => {
          throw error instanceof UnknownReprocessError
            ? new Problem('not-found', error.message, { cause: error })
            : error;
        });
        return { result, subject: id };
      });
      return { json: jsonOf(ended, nowMs()) };
    },
  });
}

function jsonOf(each: Reprocess, nowMs: number): z.infer<typeof reprocess> {
  const { id, state, fromMs, toMs, who, why: reason, seriesDone, seriesTotal, days, notices, endedAtMs } = each;
  const text = (instantMs: number): string => new Date(instantMs).toISOString();
  const bound = (instantMs: number): string | null => (Math.abs(instantMs) === instantMsMax ? null : text(instantMs));
  const left = secondsLeft(each, nowMs);
  return {
    ...{ id, state, from: bound(fromMs), to: bound(toMs), who, why: reason },
    ...{ createdAt: text(each.createdAtMs), notBefore: text(each.notBeforeMs) },
    ...(endedAtMs === undefined ? {} : { endedAt: text(endedAtMs) }),
    ...{ series: { done: seriesDone, of: seriesTotal }, days, notices },
    ...(left === undefined ? {} : { secondsLeft: left }),
  };
}

function secondsLeft({ state, startedAtMs, seriesDone, seriesTotal }: Reprocess, nowMs: number): number | undefined {
  return state !== 'telling' || startedAtMs === undefined || seriesDone === 0
    ? undefined
    : Math.ceil((((nowMs - startedAtMs) / seriesDone) * Math.max(0, seriesTotal - seriesDone)) / 1000);
}
