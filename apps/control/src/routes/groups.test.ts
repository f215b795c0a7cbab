import { instantMsMax } from '@meterflow/registry';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { controlRig, type ControlRig } from '../testing/control-rig.ts';

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

interface Asked {
  readonly method?: string;
  readonly body?: string;
  readonly type?: string;
  readonly tenant?: 'acme' | 'other';
}

async function ask(path: string, { method = 'GET', body, type = 'application/json', tenant = 'acme' }: Asked = {}) {
  const answer = await fetch(url + path, {
    method,
    headers: {
      authorization: `Bearer ${rig.keys[tenant].customer}`,
      ...(body === undefined ? {} : { 'content-type': type }),
    },
    ...(body === undefined ? {} : { body }),
  });
  const text = await answer.text();
  const lines = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { status: answer.status, lines };
}

const basics = { timeZone: 'Europe/Copenhagen', intervalMs: 3_600_000 };

test('a registry file makes series, a filter takes them, and each tenant has its own', async () => {
  const file = 'meter,grid_area,valid_from\nm1,804,2024-01-01T00:00:00Z\nm1,805,2024-02-01T00:00:00Z\nm2,804,\n,1,\n';
  const imported = await ask('/v1/registry/import', { method: 'POST', body: file, type: 'text/csv' });
  expect(imported.lines.at(-1)).toEqual({ done: { lines: 4, applied: 3, rejected: 1, changed: 2 } });
  expect(imported.lines).toContainEqual({ reject: { line: 5, column: 'meter', reason: 'is missing' } });
  const body = JSON.stringify({ ...basics, source: { kind: 'filter', filter: 'grid_area = 804' } });
  expect(await ask('/v1/groups/area%20804', { method: 'PUT', body })).toMatchObject({
    status: 200,
    lines: [{ name: 'area 804', channel: 'import', quality: 'set', revision: 1 }],
  });
  expect((await ask('/v1/groups/area%20804/members')).lines).toEqual([
    { meter: 'm1', channel: 'import', validFrom: '2024-01-01T00:00:00.000Z', validTo: '2024-02-01T00:00:00.000Z' },
    { meter: 'm2', channel: 'import' },
  ]);
  expect((await ask('/v1/registry/export')).lines.map(({ meter }) => meter)).toEqual(['m1', 'm1', 'm1', 'm2']);
  expect((await ask('/v1/registry/export', { tenant: 'other' })).lines).toEqual([]);
  expect((await ask('/v1/groups/area%20804', { tenant: 'other' })).status).toBe(404);
});

test('a file without a header is told as such, and a group that is none refused', async () => {
  const refused = await ask('/v1/registry/import', { method: 'POST', body: 'm1;m2\n', type: 'text/csv' });
  expect(refused.lines).toMatchObject([{ failed: { code: 'invalid-request' } }]);
  const put = (source: object) => ask('/v1/groups/g', { method: 'PUT', body: JSON.stringify({ ...basics, source }) });
  expect((await put({ kind: 'filter', filter: 'a =' })).status).toBe(400);
  expect((await put({ kind: 'children', children: [{ group: 'g' }] })).status).toBe(400);
  const asMeter = { of: { meter: 'group:g', channel: 'import' }, factor: '1' };
  expect((await put({ kind: 'terms', terms: [asMeter] })).status).toBe(400);
});

test('members come and go, a counted group stays, and revisions are compared', async () => {
  const put = (name: string, source: object, query = '') =>
    ask(`/v1/groups/${name}${query}`, { method: 'PUT', body: JSON.stringify({ ...basics, source }) });
  await put('house', { kind: 'members' });
  const change = (member: boolean) =>
    ask('/v1/groups/house/members', { method: 'POST', body: JSON.stringify({ meter: 'm9', member }) });
  expect((await change(true)).lines).toEqual([{ changed: true }]);
  expect((await change(true)).lines).toEqual([{ changed: false }]);
  expect((await ask('/v1/groups/house/members')).lines).toEqual([{ meter: 'm9', channel: 'import' }]);
  await change(false);
  expect((await ask('/v1/groups/house/members')).lines).toEqual([]);
  await put('street', { kind: 'children', children: [{ group: 'house', toMs: instantMsMax }] });
  expect((await ask('/v1/groups/house', { method: 'DELETE' })).status).toBe(400);
  expect((await put('street', { kind: 'members' }, '?revision=7')).status).toBe(409);
  expect((await ask('/v1/groups/street', { method: 'DELETE' })).status).toBe(204);
  const names = (await ask('/v1/groups?limit=1')).lines[0];
  expect(names).toMatchObject({ groups: [{ name: 'area 804' }], next: 'area 804' });
  expect((await ask('/v1/groups/street')).status).toBe(404);
});
