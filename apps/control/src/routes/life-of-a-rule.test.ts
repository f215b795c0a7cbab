import { afterAll, beforeAll, expect, test } from 'vitest';
import { controlRig, type ControlRig } from '../testing/control-rig.ts';

const rule = `import { defineRule } from '@meterflow/rule-sdk';
export default defineRule({ name: 'noted', onReading(reading) { reading.annotate('noted'); } });
`;

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

async function ask(path: string, body?: object, key = rig.keys.acme.customer): Promise<Record<string, unknown>> {
  const answer = await fetch(url + path, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, ...((await answer.json()) as object) };
}

interface Line {
  readonly who: string;
  readonly what: string;
  readonly subject: string;
  readonly why: string;
}

test('every step stands in the audit trail, with who did it and why, page by page', { timeout: 60_000 }, async () => {
  await ask('/v1/rules', { entry: 'noted.ts', files: { 'noted.ts': rule }, author: 'user-1', why: 'a first try' });
  await ask('/v1/rules', { entry: 'noted.ts', files: { 'noted.ts': rule } });
  const activated = await ask('/v1/rules/noted/activate', {
    from: '2024-01-01T00:00:00Z',
    share: 0.1,
    why: 'ticket 7',
  });
  expect(activated).toMatchObject({ status: 201, why: 'ticket 7', author: expect.any(String) as string });
  await ask('/v1/activations/rollback', { why: 'too many notes' });
  await ask('/v1/rules/noted/activate', { from: '2024-01-01T00:00:00Z' });
  const retired = await ask('/v1/rules/noted/retire', { from: '2024-01-01T00:00:00Z', why: 'nobody reads them' });
  expect(retired).toMatchObject({ status: 201, steps: [{ rule: 'flag-range' }] });
  expect(await ask('/v1/rules/noted/retire', { from: '2024-01-01T00:00:00Z' })).toMatchObject({ status: 422 });
  const asked = await ask('/v1/reprocesses', { from: '2024-01-01', to: '2024-02-01', why: 'once more' });
  expect(asked).toMatchObject({ status: 201, state: 'waiting', from: '2024-01-01T00:00:00.000Z' });
  const id = String(asked['id']);
  const other = rig.keys.other.customer;
  expect(await ask(`/v1/reprocesses/${id}`, undefined, other)).toMatchObject({ status: 404 });
  expect(await ask(`/v1/reprocesses/${id}/cancel`, {}, other)).toMatchObject({ status: 404 });
  expect(await ask('/v1/reprocesses', undefined, other)).toMatchObject({ reprocesses: [] });
  expect(await ask(`/v1/reprocesses/${id}/cancel`, {})).toMatchObject({ status: 200, state: 'cancelled' });
  expect(await ask(`/v1/reprocesses/${id}`)).toMatchObject({ state: 'cancelled' });
  expect(await ask('/v1/reprocesses')).toMatchObject({ reprocesses: [{ id }] });

  const first = await ask('/v1/audit?limit=2');
  const rest = await ask(`/v1/audit?after=${String(first['next'])}`);
  const lines = [...(first['lines'] as Line[]), ...(rest['lines'] as Line[])].map(({ what, why }) => [what, why]);
  expect(lines.sort()).toEqual([
    ['activation-rolled-back', 'too many notes'],
    ['reprocess-asked', 'once more'],
    ['reprocess-cancelled', ''],
    ['rule-activated', ''],
    ['rule-activated', 'ticket 7'],
    ['rule-retired', 'nobody reads them'],
    ['rule-uploaded', 'a first try'],
  ]);
  const whole = (await ask('/v1/audit'))['lines'] as Line[];
  expect(whole.find(({ what }) => what === 'rule-uploaded')).toMatchObject({
    who: expect.stringMatching(/^user-1 \([0-9a-f]+\)$/) as string,
    subject: 'noted@1',
  });
  expect(whole.findLast(({ what }) => what === 'rule-activated')?.subject).toMatch(
    /^noted@[0-9a-f]{12} on \* for 10 % of/,
  );
  expect(await ask('/v1/audit', undefined, rig.keys.other.customer)).toMatchObject({ lines: [] });
});

test('a reprocess that is none is refused with what to do', async () => {
  expect(await ask('/v1/reprocesses', { from: '2024-02-01', to: '2024-01-01' })).toMatchObject({
    status: 400,
    detail: '`from` must lie before `to`',
  });
  expect(await ask('/v1/reprocesses/none/cancel', {})).toMatchObject({ status: 404 });
  expect(await ask('/v1/reprocesses/none')).toMatchObject({ status: 404 });
  expect(await ask('/v1/audit?after=x')).toMatchObject({ status: 400 });
});
