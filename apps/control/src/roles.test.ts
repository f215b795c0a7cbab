import type { Role } from '@meterflow/registry';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { controlRig, type ControlRig } from './testing/control-rig.ts';

let rig: ControlRig;
let url: string;
beforeAll(async () => {
  rig = await controlRig();
  url = await rig.server.listen({ host: '127.0.0.1', port: 0 });
});
afterAll(async () => {
  await rig.server.close();
  await rig.close();
});

/** What providers and customers may call; each of these looks at the tenant of the credential alone. */
const open: Partial<Record<Role, readonly string[]>> = {
  provider: ['getSource', 'listRejects', 'listRemarks', 'listSources'],
  customer: [
    'activateRule',
    'backtestRule',
    'cancelReprocess',
    'changeSeriesDefaults',
    'changeGroupMembers',
    'changeSeriesSettings',
    'explain',
    'exportRegistry',
    'getCalendar',
    'getGroup',
    'getReprocess',
    'getRule',
    'getSeriesDefaults',
    'getSeriesSettings',
    'getSource',
    'listActivations',
    'listAggregates',
    'importRegistry',
    'listAudit',
    'listCalendars',
    'listGroupMembers',
    'listGroups',
    'listMissing',
    'listReadings',
    'listRejects',
    'listRemarks',
    'listReprocesses',
    'listRules',
    'listSources',
    'listStockRules',
    'putCalendar',
    'putGroup',
    'recompute',
    'removeCalendar',
    'removeGroup',
    'retireRule',
    'rollBackActivation',
    'startReprocess',
    'uploadRule',
  ],
};

test.each(['provider', 'customer'] as const)(
  'a %s is forbidden every route that shows or changes what is of all tenants',
  async (role) => {
    const forbidden = rig.server.routes.filter(({ operationId }) => open[role]?.includes(operationId) !== true);
    expect(forbidden.map(({ operationId }) => operationId)).toEqual(
      expect.arrayContaining(['listDeadLetters', 'retryDeadLetters', 'listTenants', 'createKey', 'getStatus', 'erase']),
    );
    for (const { method, path } of forbidden) {
      const answer = await fetch(url + path.replace(/\{\w+\}/, 'acme'), {
        method,
        headers: { authorization: `Bearer ${rig.keys.other[role]}`, 'content-type': 'application/json' },
        ...(method === 'GET' ? {} : { body: JSON.stringify({ tenant: 'acme', ids: ['persistence/acme/00ff'] }) }),
      });
      expect(`${method} ${path} ${answer.status}`).toBe(`${method} ${path} 403`);
    }
  },
);
