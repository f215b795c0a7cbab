import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { entriesOf, problemText, RuleCompiler, type Compiled } from './index.ts';

// The sources here are ours: the tests of the apps evaluate customers' in the sandbox.
const declare = (expression: string): Promise<unknown> =>
  Promise.resolve().then(() => {
    const exported = evaluated(expression);
    return JSON.parse(
      JSON.stringify(exported, (_, value: unknown) => (typeof value === 'function' ? true : value)),
    ) as unknown;
  });

function evaluated(expression: string): unknown {
  try {
    return runInNewContext(expression) as unknown;
  } catch (error) {
    const { message, stack = '' } = error as Error;
    throw Object.assign(new Error(message), { line: Number(/<anonymous>:(\d+)/.exec(stack)?.[1]) });
  }
}

const compiler = new RuleCompiler({ declare });

const capped = `import { defineRule } from '@meterflow/rule-sdk';
import { note } from './lib/note.ts';

export default defineRule({
  name: 'capped',
  parameters: { top: { type: 'number', default: 10, min: 0, max: 100, unit: 'kWh' } },
  needs: { channels: ['import*'] },
  onReading(reading, { parameters }) {
    if (reading.value > parameters.top) {
      reading.annotate(note);
    }
  },
});
`;
const note = `export const note: string = 'capped';\n`;

function compiled(files: Readonly<Record<string, string>>): Promise<Compiled> {
  const texts = new Map(Object.entries(files));
  return compiler.compile({ files: texts, entries: entriesOf(texts.keys()) });
}

async function told(files: Readonly<Record<string, string>>): Promise<string> {
  const outcome = await compiled(files);
  return 'problems' in outcome ? outcome.problems.map(problemText).join('\n') : 'compiled';
}

describe('a folder of rules', () => {
  test('becomes versions with what they declare, and its tests', async () => {
    const cases = `import { testRule } from '@meterflow/rule-sdk';
import capped from './capped.ts';
export default testRule(capped, { caps: { readings: [{ value: 11 }], expect: [{ reason: 'capped' }] } });`;
    const files = { 'capped.ts': capped, 'lib/note.ts': note, 'capped.test.ts': cases, 'lib/unused.ts': 'nonsense(' };
    const outcome = await compiled(files);
    expect(outcome).toMatchObject({
      rules: [
        {
          file: 'capped.ts',
          version: { name: 'capped', contract: 1, id: expect.stringMatching(/^[0-9a-f]{64}$/) as string },
          declaration: {
            parameters: { top: { type: 'number', default: 10, min: 0, max: 100, unit: 'kWh' } },
            channels: ['import*'],
          },
        },
      ],
      tests: [{ file: 'capped.test.ts', rule: 'capped', cases: [{ name: 'caps', expected: [{ reason: 'capped' }] }] }],
    });
    const [rule] = 'rules' in outcome ? outcome.rules : [];
    expect([...(rule?.files.keys() ?? [])]).toEqual(['capped.ts', 'lib/note.ts']);
    expect(rule?.version.lines).toContain('capped.ts:10');
  });

  test('needs the contract that has all it uses, also in files that it imports, and no newer one', async () => {
    const rule = (name: string, body: string, imports = ''): string =>
      `import { defineRule } from '@meterflow/rule-sdk';\n${imports}
export default defineRule({ name: '${name}', needs: { lookBackDays: 1 }, onSeries(day) { ${body} } });\n`;
    const total = `import type { RawDay } from '@meterflow/rule-sdk';
/** @contract 99 */
export function total(day: RawDay): number { const { values } = day; return day.slots.length > 0 ? values.call(day).length : 0; }\n`;
    const outcome = await compiled({
      'a.ts': rule('a', 'const known = new Map([[1, day.slots]]); [...known.values()];'),
      'b.ts': rule('b', 'day.earlier(1).values();'),
      'c.ts': rule('c', `day['values']();`),
      'd.ts': rule('d', 'total(day.earlier(1));', `import { total } from './lib/total.ts';`),
      'e.ts': rule('e', '[{ values: () => 1 }].map(({ values }) => values());'),
      'f.ts': rule('f', 'let values; ({ values } = day); values();'),
      'g.ts': rule('g', 'let sum; ({ earlier: { length: sum }, ["values"]: sum } = day);'),
      'h.ts': rule('h', '(day as any).values();'),
      'i.ts': rule('i', 'const { values: column } = day as any; column();'),
      'j.ts': rule('j', 'const name = "values"; day[name]();'),
      'k.ts': rule('k', 'const { slots, ...rest } = day; rest.values(); slots.length;'),
      'l.ts': rule('l', '(day as any).slots.map((slot: any) => slot.value);'),
      'm.ts': rule('m', 'const column = ({ values }: typeof day) => values(); column(day);'),
      'n.ts': rule('n', 'const one: typeof day | undefined = day; one?.values();'),
      'lib/total.ts': total,
    });
    const contracts = 'rules' in outcome ? outcome.rules.map(({ version }) => version.contract) : outcome.problems;
    expect(contracts).toEqual([2, 3, 3, 3, 2, 3, 3, 3, 3, 3, 3, 2, 3, 3]);
  });

  test('gives the same id for the same sources, whatever lies beside them, and another for others', async () => {
    const idOf = (outcome: Compiled): string => ('rules' in outcome ? (outcome.rules[0]?.version.id ?? '') : '');
    const [alone, beside, changed] = await Promise.all([
      compiled({ 'capped.ts': capped, 'lib/note.ts': note }),
      compiled({ 'capped.ts': capped, 'lib/note.ts': note, 'lib/more.ts': '' }),
      compiled({ 'capped.ts': capped, 'lib/note.ts': note.replace("'capped'", "'cut'") }),
    ]);
    expect(idOf(alone)).toHaveLength(64);
    expect(idOf(beside)).toBe(idOf(alone));
    expect(idOf(changed)).not.toBe(idOf(alone));
  });
});

const alone = capped.replace("import { note } from './lib/note.ts';", "const note = 'x';");

/** Compiled as one project, since each takes a second. */
async function refused(cases: Readonly<Record<string, readonly [source: string, told: RegExp]>>): Promise<void> {
  const files = Object.fromEntries(Object.entries(cases).map(([file, [source]]) => [file, source]));
  const problems = (await told(files)).split('\n');
  for (const [file, [, expected]] of Object.entries(cases)) {
    expect(problems.find((problem) => problem.startsWith(`${file}:`))).toMatch(expected);
  }
}

describe('is refused with what to do:', () => {
  test('what can’t be bundled', () =>
    refused({
      'plain.ts': ['export const a = 1;', /^plain\.ts:1:1: it has no default export: end it with/],
      'syntax.ts': [alone.replace('annotate(note);', 'annotate(note;'), /^syntax\.ts:10:28: Expected "\)"/],
      'node.ts': [`import 'node:fs';\n${alone}`, /^node\.ts:1:8: a rule can import '@meterflow\/rule-sdk' and files/],
      'root.ts': [`import '/etc/passwd';\n${alone}`, /^root\.ts:1:8: a rule can import .* not '\/etc\/passwd'/],
      'up.ts': [`import '../b.ts';\n${alone}`, /^up\.ts:1:8: '\.\.\/b\.ts' is outside of the rule's folder: copy it/],
      'climb.ts': [`import './lib/../../b.ts';\n${alone}`, /outside of the rule's folder/],
      'gone.ts': [`import './b.ts';\n${alone}`, /^gone\.ts:1:8: there is no file 'b\.ts' in the folder/],
      'late.ts': [`${alone}\nvoid import('./up.ts');`, /import statements alone/],
      'common.js': [`${alone}\nrequire('./up.ts');`, /import statements alone/],
    }));

  test('what does not fit the SDK', () =>
    refused({
      'unknown.ts': [alone.replace('> parameters.top', '> parameters.topp'), /:9:\d+: Property 'topp' does not exist/],
      'wrong.ts': [alone.replace('annotate(note)', 'annotate(1)'), /:10:\d+: Argument of type 'number'/],
      'clock.ts': [alone.replace('note)', 'String(performance))'), /:10:\d+: Cannot find name 'performance'/],
      'endless.ts': [
        `${alone}\ntype B<N extends string> = N extends \`\${infer H}\${infer T}\` ? B<\`\${T}\${H}x\`> : 1; export const b: B<'x'> = 2;`,
        /excessively deep/,
      ],
    }));

  test('what a rule must not say of itself', () =>
    refused({
      'throws.js': ['throw new Error("no");\nexport default {}', /^throws\.js:1:1: its top level threw: no/],
      'name.ts': [alone.replace("'capped'", "'__proto__'"), /^name\.ts:1:1: name must be a text like/],
      'range.ts': [
        alone.replace('default: 10', 'default: 1000'),
        /default of parameter top must be between 0 and 100 kWh, not 1000/,
      ],
      'proto.ts': [alone.replace('top: {', "['__proto__']: {").replace('parameters.top', '1'), /called "__proto__"/],
      'needs.js': [alone.replace("channels: ['import*']", 'lookBackMs: 5'), /needs has no "lookBackMs"/],
      'empty.js': ["export default { name: 'a' }", /no function onReading/],
      'no.test.js': ['export default 7', /a test file ends with export default testRule/],
    }));

  test('two rules of one name', async () => {
    expect(await told({ 'a.ts': alone, 'b.ts': alone })).toMatch(/^b\.ts:1:1: it is called capped, as a\.ts is/);
  });

  test.each([
    ['50 MB', { 'a.ts': ' '.repeat(50_000_000) }, /^a\.ts: it has 50000000 bytes; 262144 are the most/],
    [
      'too many files',
      Object.fromEntries(Array.from({ length: 201 }, (_, index) => [`a${index}.ts`, ''])),
      /201 files/,
    ],
    ['a folder without rules', {}, /there is no rule: `meterflow rules init`/],
  ])('%s', async (_, files, expected) => {
    expect(await told(files)).toMatch(expected);
  });
});

test('what a bundle holds in its texts is nobody’s statement', async () => {
  const text = "import fs from 'node:fs';\\nexport default 1;";
  expect(await told({ 'a.ts': alone.replace("const note = 'x'", `const note = \`\n${text}\``) })).toBe('compiled');
});
