import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { controlRig, type ControlRig } from './testing/control-rig.ts';

const capped = `import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'capped',
  parameters: { top: { type: 'number', default: 10, min: 0, max: 100, unit: 'kWh' } },
  needs: { channels: ['import*'] },
  onReading(reading, { parameters }) {
    reading.value = Math.min(reading.value, parameters.top);
  },
});
`;
const cases = `import { testRule } from '@meterflow/rule-sdk';
import capped from './capped.ts';
export default testRule(capped, { cut: { readings: [{ value: 11 }], expect: [{ value: 10 }] } });
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

interface Answer {
  readonly status: number;
  readonly json: Record<string, unknown> & { readonly errors?: readonly { at: string; problem: string }[] };
}

async function ask(path: string, body?: unknown, key = rig.keys.acme.customer): Promise<Answer> {
  const answer = await fetch(url + path, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  return { status: answer.status, json: (await answer.json()) as Answer['json'] };
}

const upload = (files: Readonly<Record<string, string>>): Promise<Answer> =>
  ask('/v1/rules', { entry: 'capped.ts', files });

test('from an upload to an activation and back', { timeout: 60_000 }, async () => {
  const first = await upload({ 'capped.ts': capped, 'capped.test.ts': cases, 'lib/other.ts': '' });
  expect(first).toMatchObject({ status: 201, json: { name: 'capped', version: 1, added: true, contract: 1 } });
  expect(await upload({ 'capped.ts': capped, 'capped.test.ts': cases })).toMatchObject({
    status: 200,
    json: { version: 1, added: false, id: first.json['id'] },
  });
  const changed = capped.replace('Math.min(reading.value, parameters.top)', 'Math.min(parameters.top, reading.value)');
  expect(await upload({ 'capped.ts': changed })).toMatchObject({ status: 201, json: { version: 2 } });
  const shown = await ask('/v1/rules/capped');
  const tested = await ask('/v1/rules/capped?version=1');
  expect(tested.json['tests']).toEqual([{ file: 'capped.test.ts', name: 'cut' }]);
  expect(shown.json['diff']).toContain('+     reading.value = Math.min(parameters.top, reading.value);');
  expect(shown.json['versions']).toHaveLength(2);

  const order = { version: '1', from: '2024-01-01T00:00:00Z', parameters: { top: 5 } };
  const activated = await ask('/v1/rules/capped/activate', order);
  expect(activated).toMatchObject({ status: 201, json: { number: 1, from: '2024-01-01T00:00:00.000Z', to: null } });
  expect(activated.json['steps']).toEqual([
    expect.objectContaining({ rule: 'flag-range' }),
    { rule: 'capped', id: first.json['id'], channels: 'import*', parameters: { top: 5 } },
  ]);
  expect(await ask('/v1/activations/rollback', {})).toMatchObject({
    status: 201,
    json: { activations: [{ number: 2, from: '2024-01-01T00:00:00.000Z', steps: [{ rule: 'flag-range' }] }] },
  });
  expect((await ask('/v1/activations')).json['activations']).toHaveLength(2);
  const others = await ask('/v1/rules', undefined, rig.keys.other.customer);
  expect(others.json['rules']).toEqual([]);
  expect(await ask('/v1/rules/capped', undefined, rig.keys.other.customer)).toMatchObject({ status: 404 });
  const taken = await ask('/v1/rules/capped/activate', order, rig.keys.other.customer);
  expect(taken).toMatchObject({
    status: 404,
    json: { detail: expect.stringContaining('there is no rule capped') as string },
  });
});

test(
  'a stock rule is activated by its name and kept; one of the tenant’s own goes before it',
  { timeout: 60_000 },
  async () => {
    const key = rig.keys.other.customer;
    const stock = (await ask('/v1/stock-rules', undefined, key)).json['rules'] as Record<string, unknown>[];
    expect(stock.find(({ name }) => name === 'plausible-power')).toMatchObject({
      does: expect.stringContaining('mean power') as string,
      parameters: { kwMax: { type: 'number', unit: 'kW' } },
      files: { 'plausible-power.ts': expect.stringContaining('defineRule') as string },
    });
    const order = { from: '2024-01-01T00:00:00Z', parameters: { kwMax: 20 } };
    const activated = await ask('/v1/rules/plausible-power/activate', order, key);
    expect(activated).toMatchObject({
      status: 201,
      json: { steps: [{}, { rule: 'plausible-power', parameters: { kwMax: 20 } }] },
    });
    const kept = await ask('/v1/rules/plausible-power', undefined, key);
    expect(kept.json).toMatchObject({
      version: 1,
      author: 'meterflow',
      id: stock.find(({ name }) => name === 'plausible-power')?.['id'],
    });
    expect((await ask('/v1/rules/plausible-power/activate', order, key)).status).toBe(201);
    expect((await ask('/v1/rules/plausible-power', undefined, key)).json['versions']).toHaveLength(1);

    const own = { entry: 'capped.ts', files: { 'capped.ts': capped.replace("'capped'", "'zero-run'") } };
    // Whoever says to be the author of stock rules stands beside the name of the key.
    const { id } = (await ask('/v1/rules', { ...own, author: 'meterflow' }, key)).json;
    const taken = await ask('/v1/rules/zero-run/activate', { from: '2024-01-01T00:00:00Z' }, key);
    expect((taken.json['steps'] as unknown[]).at(-1)).toMatchObject({ rule: 'zero-run', id });
  },
);

test('a rule that looks around stands before one that changes values where that is asked for, and else it is told', async () => {
  const key = rig.keys.other.customer;
  const activate = (rule: string, order: object): ReturnType<typeof ask> =>
    ask(`/v1/rules/${rule}/activate`, { from: '2024-01-01T00:00:00Z', ...order }, key);
  const names = ({ json }: Awaited<ReturnType<typeof ask>>): string[] =>
    (json['steps'] as { rule: string }[])
      .map(({ rule }) => rule)
      .filter((rule) => rule.startsWith('fill') || rule === 'multiplier');
  expect((await activate('multiplier', { parameters: { factor: 40 } })).json['notes']).toEqual([]);
  const last = await activate('fill-like-day', {});
  expect(names(last)).toEqual(['multiplier', 'fill-like-day']);
  expect(last.json['notes']).toEqual([expect.stringContaining('as they came, not as') as string]);
  expect(names(await activate('fill-like-day', { before: 'multiplier' }))).toEqual(['fill-like-day', 'multiplier']);
  for (const before of ['fill-like-day', 'nobody']) {
    expect((await activate('fill-like-day', { before })).status).toBe(422);
  }
});

test('for a tenth of the meters first, then for half, then for all', async () => {
  const other = rig.keys.other.customer;
  await ask('/v1/rules', { entry: 'capped.ts', files: { 'capped.ts': capped } }, other);
  const activate = async (order: object): Promise<unknown> => {
    const { status, json } = await ask('/v1/rules/capped/activate', { from: '2024-01-01T00:00:00Z', ...order }, other);
    const steps = json['steps'] as readonly { rule: string; parameters: object; share?: object }[] | undefined;
    return steps?.filter(({ rule }) => rule === 'capped').map(({ parameters, share }) => [parameters, share]) ?? status;
  };
  const [five, nine] = [{ parameters: { top: 5 } }, { parameters: { top: 9 } }];
  expect(await activate(five)).toEqual([[{ top: 5 }, undefined]]);
  expect(await activate({ ...nine, share: 0.1 })).toEqual([
    [{ top: 9 }, { from: 0, to: 0.1 }],
    [{ top: 5 }, { from: 0.1, to: 1 }],
  ]);
  expect(await activate({ ...nine, share: 0.5 })).toEqual([
    [{ top: 9 }, { from: 0, to: 0.5 }],
    [{ top: 5 }, { from: 0.5, to: 1 }],
  ]);
  expect(await activate({ ...nine, share: 0.2 })).toBe(422);
  expect(await activate({ ...nine, share: 0 })).toBe(400);
  expect(await activate(nine)).toEqual([[{ top: 9 }, undefined]]);
});

describe('is refused with what to do, and changes nothing:', () => {
  const state = async (): Promise<unknown> => [(await ask('/v1/rules')).json, (await ask('/v1/activations')).json];

  test.each<readonly [name: string, files: Readonly<Record<string, string>>, at: string, problem: string]>([
    ['a type error', { 'capped.ts': capped.replace('.top)', '.tip)') }, 'capped.ts:8:56', "'tip' does not exist"],
    [
      'a failing test',
      { 'capped.ts': capped, 'capped.test.ts': cases.replace('value: 10', 'value: 9') },
      'capped.test.ts',
      'value is 10, expected 9',
    ],
    ['no such entry', { 'other.ts': capped }, 'capped.ts', 'no such file'],
    ['a path that climbs', { 'capped.ts': capped, '../x.ts': '' }, '../x.ts', 'a source is a .ts or .js file'],
    ['an endless top level', { 'capped.ts': `${capped}for (;;) {}` }, 'capped.ts:1:1', 'runs longer than'],
  ])('%s', { timeout: 30_000 }, async (_, files, ...[at, problem]) => {
    const before = await state();
    const { status, json } = await upload(files);
    expect([status, json.errors?.[0]]).toEqual([422, { at, problem: expect.stringContaining(problem) as string }]);
    expect(await state()).toEqual(before);
  });

  test.each([
    ['a parameter out of range', { parameters: { top: 101 } }, 'top must be between 0 and 100 kWh, not 101'],
    ['a parameter of another type', { parameters: { top: '5' } }, 'top must be a number, not "5"'],
    ['a parameter that is none', { parameters: { tip: 1 } }, 'tip is no parameter of capped; it has top'],
    ['a channel that it is not made for', { channels: 'export' }, 'the rule is made for import*, not for export'],
    ['a version that is not there', { version: '9' }, 'rule capped has no version 9: it has 1 to 2'],
    ['no date', { from: 'soon' }, 'from'],
  ])('%s', async (_, order, told) => {
    const before = await state();
    const answer = await ask('/v1/rules/capped/activate', { from: '2024-01-01T00:00:00Z', ...order });
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(JSON.stringify(answer.json).replaceAll('\\"', '"')).toContain(told);
    expect(await state()).toEqual(before);
  });

  test('__proto__ among the parameters', async () => {
    const before = await state();
    const body = '{"from":"2024-01-01T00:00:00Z","parameters":{"__proto__":1}}';
    const answer = await ask('/v1/rules/capped/activate', body);
    expect(answer).toMatchObject({
      status: 400,
      json: { detail: 'a property can not be called __proto__: leave it out' },
    });
    const escaped = await ask('/v1/rules/capped/activate', body.replace('__proto__', '\\u005f_proto__'));
    expect(escaped.status).toBe(400);
    expect(await state()).toEqual(before);
  });

  test('50 MB', async () => {
    const answer = await upload({ 'capped.ts': ' '.repeat(50_000_000) }).catch(() => ({ status: 413 }));
    expect(answer.status).toBe(413);
  });
});

test('what a flow can not be is refused when it is activated, and says what to do', { timeout: 60_000 }, async () => {
  const activations = async (): Promise<unknown> =>
    (await ask('/v1/activations', undefined, rig.keys.other.customer)).json['activations'];
  const before = await activations();
  const order = { from: '2024-01-01T00:00:00Z' };
  const refused = await ask('/v1/rules/register-difference/activate', order, rig.keys.other.customer);
  expect(refused).toMatchObject({ status: 422 });
  expect(refused.json.errors).toEqual([
    { at: 'channels', problem: expect.stringContaining('name the channel that it is to look at') as string },
  ]);
  const globbed = await ask('/v1/rules/sum-check/activate', order, rig.keys.other.customer);
  expect(globbed.json.errors).toEqual([
    { at: 'channels', problem: expect.stringContaining('reads register') as string },
  ]);
  expect(await activations()).toEqual(before);
  const named = await ask('/v1/rules/sum-check/activate', { ...order, channels: 'import' }, rig.keys.other.customer);
  expect(named).toMatchObject({ status: 201 });
});
