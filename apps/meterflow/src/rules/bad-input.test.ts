import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { EmbeddedServer } from '../server/start-server.ts';
import { commandIn, newDataDir, startTestServer } from '../testing/test-server.ts';

// Every door that a rule comes in by, with what must not pass: the same answer by the command and over HTTP, which says
// what to do, and nothing is changed by it.

const good = `import { defineRule } from '@meterflow/rule-sdk';
export default defineRule({
  name: 'capped',
  parameters: { top: { type: 'number', default: 4, min: 0, max: 9, unit: 'kWh' } },
  needs: { channels: ['import*'] },
  onReading(reading, { parameters }) { reading.value = Math.min(reading.value, parameters.top); },
});
`;

const place = newDataDir();
const folder = join(dirname(place.dataDir), 'rules');
let server: EmbeddedServer;
let key: string;
const meterflow = (...words: string[]): Promise<string> => commandIn(place.dataDir, [...words, '--tenant', 'acme']);

beforeAll(async () => {
  server = await startTestServer(place.dataDir);
  await commandIn(place.dataDir, ['tenants', 'create', 'acme']);
  key = (JSON.parse(await meterflow('keys', 'create', '--role', 'customer', '--json')) as { key: string }).key;
  inFolder(good);
  await meterflow('rules', 'upload', folder);
}, 60_000);
afterAll(async () => {
  await server.stop();
  place.remove();
});

function inFolder(source: string): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  writeFileSync(join(folder, 'capped.ts'), source);
}

async function ask(path: string, body?: object): Promise<{ readonly status: number; readonly text: string }> {
  const answer = await fetch(`${server.url ?? ''}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, text: await answer.text() };
}

/** All that a rule can change. */
async function state(): Promise<readonly string[]> {
  const paths = ['/v1/rules', '/v1/activations', '/v1/reprocesses', '/v1/audit'];
  return Promise.all(paths.map(async (path) => (await ask(path)).text));
}

describe.each<readonly [name: string, source: string, told: string]>([
  ['no default export', good.replace('export default', 'export const rule ='), 'it has no default export: end it with'],
  ['a syntax error', good.replace('reading.value = ', 'reading.value = = '), 'capped.ts:6:56'],
  ['a type error', good.replace('parameters.top', 'parameters.tip'), "Property 'tip' does not exist"],
  ['an import of a file outside', `import '../../secret.ts';\n${good}`, 'is outside of the rule'],
  ['an import of the machine', `import 'node:fs';\n${good}`, 'a rule can import'],
  ['50 MB', `${good}//${' '.repeat(50_000_000)}`, 'the most'],
])('a rule with %s', (_, source, told) => {
  test('is refused by both doors, and nothing is changed', { timeout: 30_000 }, async () => {
    const before = await state();
    inFolder(source);
    await expect(meterflow('rules', 'upload', folder)).rejects.toThrow(told);
    const answer = await ask('/v1/rules', { entry: 'capped.ts', files: { 'capped.ts': source } }).catch(() => ({
      // The connection may be cut before all of it is sent.
      ...{ status: 413, text: 'the most' },
    }));
    expect([413, 422]).toContain(answer.status);
    expect(answer.status === 413 ? 'the most' : answer.text.replaceAll('\\"', '"')).toContain(told);
    expect(await state()).toEqual(before);
  });
});

interface Given {
  readonly words: readonly string[];
  readonly body: object;
}
const set = (name: string, value: string | number): Given => ({
  words: ['--parameters', `${name}=${value}`],
  body: { parameters: { [name]: value } },
});
const on = (channels: string): Given => ({ words: ['--channel', channels], body: { channels } });

describe.each<readonly [name: string, given: Given, told: string]>([
  ['a parameter out of range', set('top', 10), 'between 0 and 9 kWh, not 10'],
  ['a parameter of another type', set('top', 'x'), 'must be a number'],
  ['a parameter that is none', set('tip', 1), 'is no parameter of capped; it has top'],
  ['a channel it is not made for', on('export'), 'made for import*, not for export'],
  ['a channel that is none', on('im port'), 'made for import*, not for im port'],
])('with %s', (_, { words, body }, told) => {
  test.each(['activate', 'backtest'])('%s is refused by both doors, and nothing is changed', async (command) => {
    const before = await state();
    const span = command === 'activate' ? ['--from', '2024-01-01'] : ['--from', '2024-01-01', '--to', '2024-02-01'];
    await expect(meterflow('rules', command, 'capped', ...span, ...words)).rejects.toThrow(told);
    const from = '2024-01-01T00:00:00Z';
    const answer =
      command === 'activate'
        ? await ask('/v1/rules/capped/activate', { from, ...body })
        : await ask('/v1/backtests', { rule: 'capped', from, to: '2024-02-01', ...body });
    expect(answer.status).toBe(422);
    expect(answer.text.replaceAll('\\"', '"')).toContain(told);
    expect(await state()).toEqual(before);
  });
});
