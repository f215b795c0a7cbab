import { defineRoute, Problem, type Route } from '@meterflow/http';
import { identifierCharsMax } from '@meterflow/readings';
import type { RecomputeScope } from '@meterflow/registry';
import { z } from 'zod';
import type { ControlPorts } from '../ports.ts';
import { tellScope } from '../recompute-scope.ts';

const name = z.string().min(1).max(identifierCharsMax);
const body = z.union([
  z.strictObject({ everything: z.literal(true).describe('all series of the tenant') }),
  z.strictObject({ meter: name, channel: name.describe('import, export, …') }),
]);
const answer = z.object({
  series: z.number().int().describe('of which something is stored'),
  notices: z.number().int().describe('what aggregation was told; it is done when no message waits any more'),
});

type RecomputePorts = Pick<ControlPorts, 'recomputes' | 'series' | 'groupsNow' | 'tenants'>;

/**
 * Aggregates made anew of the readings that are stored. Changes of settings, groups and calendars do that by themselves. No
 * change hangs on it, so that nothing is noted: whoever asks and goes away, or is cut off, asks again.
 */
export function recomputesRoute(ports: RecomputePorts): Route {
  return defineRoute({
    method: 'POST',
    path: '/v1/recomputes',
    operationId: 'recompute',
    summary:
      'Computes hours, days, months and years anew, and the groups above them, from the readings that are stored',
    roles: ['customer', 'operator'],
    body,
    answers: { 202: { description: 'It is told, durably', schema: answer } },
    handle: async ({ principal: { tenant }, body: wanted, signal }) => {
      if ((await ports.tenants.get(tenant)) === undefined) {
        throw new Problem('not-found', `there is no tenant ${tenant}`);
      }
      const scope: RecomputeScope = 'everything' in wanted ? { of: 'tenant' } : { of: 'series', series: [wanted] };
      return { status: 202, json: await tellScope(ports, { tenant, scope }, signal) };
    },
  });
}
