import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Activations, AuditTrail } from '@meterflow/registry';
import { MemoryRegistry } from '@meterflow/registry/testing';
import type { Activation } from '@meterflow/rules';
import { sampleBatch } from '@meterflow/rules/testing';
import { RuleCompiler } from '@meterflow/rule-compiler';
import { IsolatedSandbox, readDeclaration } from '@meterflow/sandbox';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { RulesFolder } from './rules-folder.ts';

const doubling = `import { defineRule, type Reading } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'doubling',
  parameters: { factor: { type: 'number', default: 2 } },
  onReading(reading: Reading, context): void {
    reading.value *= context.parameters.factor;
  },
});
`;

describe('rules from files', () => {
  // Each project is compiled once: it takes a second.
  const compiled = new Map<string, ReturnType<RuleCompiler['compile']>>();
  const real = new RuleCompiler({ declare: readDeclaration });
  const compiler: Pick<RuleCompiler, 'compile'> = {
    compile: (project) => {
      const key = JSON.stringify([...project.files]);
      const outcome = compiled.get(key) ?? real.compile(project);
      compiled.set(key, outcome);
      return outcome;
    },
  };
  let sandbox: IsolatedSandbox;
  let root: string;
  let folder: string;
  let activations: Activations;
  let trail: AuditTrail;
  let activated: Activation[];
  let problems: string[];
  const open = (): RulesFolder =>
    new RulesFolder(root, {
      activations,
      sandbox,
      compiler,
      audit: trail,
      clock: { nowMs: () => 0, sleep: () => Promise.resolve() },
      onActivated: (activation) => activated.push(activation),
      onProblem: ({ tenant, message }) => problems.push(`${tenant}: ${message}`),
    });
  const save = (name: string, text: string): Promise<void> => writeFile(join(folder, name), text);

  beforeAll(() => {
    sandbox = new IsolatedSandbox();
  });
  afterAll(() => sandbox.close());
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'meterflow-rules-'));
    folder = join(root, 'acme');
    await mkdir(folder);
    const registry = new MemoryRegistry();
    activations = new Activations({ registry, nowMs: () => 0, activationLeaseMs: 0 });
    let lines = 0;
    trail = new AuditTrail({ registry, nowMs: () => 0, newId: () => String(++lines) });
    activated = [];
    problems = [];
  });
  afterEach(() => rm(root, { recursive: true }));

  test('a saved file becomes a version and an activation that runs', async () => {
    await save('doubling.ts', doubling);
    await open().look();
    const newest = await activations.readNewest('acme');
    expect(newest).toMatchObject({ number: 1, author: 'rules folder', why: 'files were saved' });
    expect((await trail.list('acme', { limit: 10 })).lines).toEqual([
      {
        ...{ atMs: 0, who: 'rules folder', what: 'rule-activated', why: 'files were saved', outcome: 'done' },
        subject: `doubling@${newest.flow.steps[0]?.rule.id.slice(0, 12)} of all times, activation 1`,
      },
    ]);
    expect([...(await sandbox.run(newest.flow, sampleBatch({ integers: [1_500] }))).values]).toEqual([3]);
    expect(problems).toEqual([]);
  });

  test('a changed file becomes the next activation; an unchanged one does not, also not after a restart', async () => {
    await save('doubling.ts', doubling);
    const first = open();
    await first.look();
    await first.look();
    await open().look();
    expect(activated.map(({ number }) => number)).toEqual([1]);
    await save('doubling.ts', doubling.replace('default: 2', 'default: 10'));
    await first.look();
    expect(activated.map(({ number }) => number)).toEqual([1, 2]);
    expect(activated[1]?.flow.steps[0]?.rule.id).not.toBe(activated[0]?.flow.steps[0]?.rule.id);
  });

  test('flow.json names order, parameters, channels, decimals and policy, and may use stock rules', async () => {
    await save('doubling.ts', doubling);
    const steps = [
      { rule: 'flag-range', parameters: { below: 0 }, channels: 'import*' },
      { rule: 'doubling', parameters: { factor: 3 } },
    ];
    await save('flow.json', JSON.stringify({ onFailure: 'reject', decimals: 3, steps }));
    await open().look();
    expect(activated[0]).toMatchObject({ decimals: 3, flow: { onFailure: 'reject' } });
    expect(activated[0]?.flow.steps.map(({ rule, parameters, channels }) => [rule.name, parameters, channels])).toEqual(
      [
        ['flag-range', { below: 0 }, 'import*'],
        ['doubling', { factor: 3 }, '*'],
      ],
    );
  });

  test.each([
    ['a syntax error', 'doubling.ts', doubling.replace('context.parameters.factor;', ''), /doubling\.ts/],
    ['an import', 'doubling.ts', `import fs from 'node:fs';\n${doubling}`, /doubling\.ts:1:16: .*rule-sdk/],
    [
      'parameters that do not fit',
      'flow.json',
      JSON.stringify({ steps: [{ rule: 'doubling', parameters: { factor: 'x' } }] }),
      /factor must be a number, not "x"/,
    ],
    ['a rule that is not there', 'flow.json', JSON.stringify({ steps: [{ rule: 'tripling' }] }), /no tripling\.ts/],
    ['no JSON', 'flow.json', '{', /not JSON/],
    ['an unknown key', 'flow.json', JSON.stringify({ steps: [], colour: 'red' }), /colour/],
  ])('%s is told once, and what was active stays active', async (_, ...[name, text, told]) => {
    const rules = open();
    await save('doubling.ts', doubling);
    await rules.look();
    await save(name, text);
    await rules.look();
    await rules.look();
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(told);
    expect((await activations.readNewest('acme')).number).toBe(1);
    await rm(join(folder, name));
    await save('doubling.ts', `${doubling}\n`);
    await rules.look();
    expect((await activations.readNewest('acme')).number).toBe(2);
  });

  test('an empty folder, a missing one and one that is no tenant change nothing', async () => {
    await mkdir(join(root, 'Not A Tenant'));
    await open().look();
    await rm(root, { recursive: true });
    await open().look();
    await mkdir(root);
    expect([activated, problems]).toEqual([[], []]);
  });

  test('a registry that is down is tried again', async () => {
    await save('doubling.ts', doubling);
    const create = activations.create.bind(activations);
    activations.create = () => Promise.reject(new Error('down'));
    const rules = open();
    await rules.look();
    activations.create = create;
    await rules.look();
    expect(activated.map(({ number }) => number)).toEqual([1]);
  });
});
