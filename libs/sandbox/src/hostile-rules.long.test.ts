import { flowOf } from '@meterflow/rules';
import { ruleOf, sampleBatch } from '@meterflow/rules/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { IsolatedSandbox } from './index.ts';
import { expectStopped } from './testing/beside-others.ts';

describe('hostile rules leave other tenants running', () => {
  let sandbox: IsolatedSandbox;
  beforeAll(() => {
    sandbox = new IsolatedSandbox();
  });
  afterAll(() => sandbox.close());

  test.each([
    ['an endless loop', 'while (true);'],
    ['an endless loop in a getter of what it throws', 'throw { get message() { for (;;); } }'],
    ['an endless loop of microtasks', '(async function flood() { for (;;) await null; })()'],
    ['an endless sort', `[3, 2, 1].sort(() => { for (;;); })`],
    ['an endless iterator', `Array.from({ [Symbol.iterator]: () => ({ next: () => ({ done: false }) }) })`],
    ['one huge array', 'new Array(2 ** 27).fill(0)'],
    ['texts that double', `let text = 'x'; for (;;) { text += text; [text].join('').charCodeAt(0); }`],
    ['a map without end', 'const all = new Map(); for (let i = 0; ; i++) all.set(i, { i })'],
    ['objects that nest without end', 'let o = {}; for (;;) o = { o }'],
    ['a BigInt that grows', 'let n = 3n; for (;;) n *= n'],
    ['a generator without end', '[...(function* () { for (;;) yield []; })()]'],
  ])('%s is stopped, and its version is in quarantine', async (_, body) => {
    await expectStopped(sandbox, body);
  });

  test('an endless loop at the top of a rule is found too', async () => {
    const rule = {
      ...ruleOf('', 'top'),
      source: 'for (;;);\nexport default defineRule({ name: "top", onReading() {} });',
    };
    const run = sandbox.run(flowOf('top', [{ rule, parameters: {} }]), sampleBatch());
    await expect(run).rejects.toMatchObject({ code: 'rule-timed-out' });
  });
});
