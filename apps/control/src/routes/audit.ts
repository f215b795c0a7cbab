import { defineRoute, type Route } from '@meterflow/http';
import { auditedSteps, auditOutcomes, isAuditPosition } from '@meterflow/registry';
import { z } from 'zod';
import type { ControlPorts } from '../ports.ts';

const limitDefault = 100;
const limitMax = 1_000;

const line = z.object({
  at: z.string(),
  who: z.string().describe('the key’s name'),
  what: z.enum(auditedSteps),
  subject: z.string(),
  why: z.string(),
  outcome: z.enum(auditOutcomes).describe('interrupted: it may have been done or not; the list of what it makes tells'),
});

/** What was done to the tenant's rules, by whom and why; nothing removes a line. */
export function auditRoute({ audited }: Pick<ControlPorts, 'audited'>): Route {
  return defineRoute({
    method: 'GET',
    path: '/v1/audit',
    operationId: 'listAudit',
    summary: 'Every step in the life of the tenant’s rules, newest first',
    roles: ['customer', 'operator'],
    query: z.strictObject({
      limit: z.coerce.number().int().min(1).max(limitMax).default(limitDefault),
      after: z.string().refine(isAuditPosition, 'not the `next` of a page').optional(),
    }),
    answers: {
      200: { description: 'A page', schema: z.object({ lines: z.array(line), next: z.string().optional() }) },
    },
    handle: async ({ principal: { tenant }, query: { limit, after } }) => {
      const { lines, next } = await audited.list(tenant, { limit, ...(after === undefined ? {} : { after }) });
      return {
        json: { lines: lines.map(({ atMs, ...rest }) => ({ at: new Date(atMs).toISOString(), ...rest })), next },
      };
    },
  });
}
