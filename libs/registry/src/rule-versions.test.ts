import { flowOf, ruleDeclaration } from '@meterflow/rules';
import { beforeEach, describe, expect, test } from 'vitest';
import { Activations, instantMsMax, restoreActivation, RuleVersions, type RuleUpload } from './index.ts';
import { MemoryRegistry } from './testing/index.ts';

function upload(source: string, name = 'capped'): RuleUpload {
  const id = Buffer.from(source).toString('hex').padEnd(64, '0');
  const declaration = ruleDeclaration({ name, onReading: true, parameters: { top: { type: 'number', default: 1 } } });
  const version = { id, name, contract: 1, source, lines: [] };
  return { version, declaration, files: { 'capped.ts': source }, tests: [], author: 'me' };
}

describe('uploaded rules', () => {
  let rules: RuleVersions;
  beforeEach(() => {
    rules = new RuleVersions({ registry: new MemoryRegistry(), nowMs: () => 5 });
  });

  test('count their versions, and the same sources are the same version', async () => {
    const first = await rules.add('acme', upload('a'));
    expect(first).toMatchObject({ added: true, rule: { number: 1, author: 'me', createdAtMs: 5 } });
    expect(await rules.add('acme', upload('b'))).toMatchObject({ added: true, rule: { number: 2 } });
    expect(await rules.add('acme', upload('a'))).toEqual({ added: false, rule: first.rule });
    expect((await rules.versions('acme', 'capped')).map(({ number }) => number)).toEqual([2, 1]);
  });

  test('are found as the newest, by number and by the beginning of the id', async () => {
    await rules.add('acme', upload('a'));
    await rules.add('acme', upload('b'));
    const found = await Promise.all(
      [undefined, '1', '6100000'].map((wanted) => rules.require('acme', 'capped', wanted)),
    );
    expect(found.map(({ number }) => number)).toEqual([2, 1, 1]);
    await expect(rules.require('acme', 'capped', '3')).rejects.toThrow('it has 1 to 2');
    await expect(rules.require('acme', 'capped', '61')).rejects.toThrow('has no version 61');
  });

  test('are each tenant’s own', async () => {
    await rules.add('acme', upload('a'));
    await rules.add('acme', upload('b', 'other-rule'));
    expect((await rules.list('acme')).map(({ version }) => version.name)).toEqual(['capped', 'other-rule']);
    expect(await rules.list('other')).toEqual([]);
    for (const name of ['capped', '__proto__', '../acme/capped', '']) {
      await expect(rules.require('other', name)).rejects.toThrow(`there is no rule ${name}`);
    }
  });

  test('two at once get two numbers', async () => {
    const added = await Promise.all(['a', 'b', 'c'].map((source) => rules.add('acme', upload(source))));
    expect(added.map(({ rule }) => rule.number).sort()).toEqual([1, 2, 3]);
  });
});

describe('going back to an activation', () => {
  const whole = { fromMs: -instantMsMax, toMs: instantMsMax };
  let activations: Activations;
  const activate = (name: string, fromMs = whole.fromMs) =>
    activations.create('acme', { flow: flowOf(name, []), decimals: 6, fromMs, toMs: whole.toMs });
  /** What counts at an instant under the newest activation. */
  const createdFor = async (atMs: number) => {
    const { number } = await activations.readNewest('acme');
    const [counting] = await activations.counting('acme', number, { fromMs: atMs, toMs: atMs + 1 });
    return counting?.decimals;
  };
  beforeEach(() => {
    activations = new Activations({ registry: new MemoryRegistry(), nowMs: () => 5, activationLeaseMs: 0 });
  });

  test('makes what counted before the newest one count again, where that one changed it', async () => {
    await activations.create('acme', { flow: flowOf('a', []), decimals: 1, ...whole });
    await activations.create('acme', { flow: flowOf('b', []), decimals: 2, fromMs: 300, toMs: whole.toMs });
    await activations.create('acme', { flow: flowOf('c', []), decimals: 3, fromMs: 200, toMs: whole.toMs });
    expect(await Promise.all([100, 250, 400].map(createdFor))).toEqual([1, 3, 3]);
    const made = await restoreActivation(activations, 'acme');
    expect(made.map(({ number, fromMs }) => [number, fromMs])).toEqual([
      [4, 200],
      [5, 300],
    ]);
    expect(await Promise.all([100, 250, 400].map(createdFor))).toEqual([1, 1, 2]);
  });

  test('goes back further when told, also to before the first', async () => {
    await activate('a');
    await activate('b');
    const [made] = await restoreActivation(activations, 'acme', { number: 0 });
    expect(made).toMatchObject({ number: 3, flow: { steps: [{ rule: { name: 'flag-range' } }] } });
  });

  test('is refused where there is nothing to go back to', async () => {
    await expect(restoreActivation(activations, 'acme')).rejects.toThrow('nothing was activated yet');
    await activate('a');
    await expect(restoreActivation(activations, 'acme', { number: 1 })).rejects.toThrow('it is 0 to 0');
    await expect(restoreActivation(activations, 'acme', { number: -1 })).rejects.toThrow('it is 0 to 0');
  });
});
