import { flowOf, ruleContract } from '@meterflow/rules';
import { sampleBatch } from '@meterflow/rules/testing';
import { describe, expect, test, vi } from 'vitest';
import { compileRule, IsolatedSandbox } from './index.ts';

const typed = `import { defineRule, type Reading } from "@meterflow/rule-sdk";
import type { RuleContext } from '@meterflow/rule-sdk';

interface Limits { readonly top: number }
const limits: Limits = { top: 10 }

export default defineRule({
  name: 'typed',
  onReading(reading: Reading, context: RuleContext): void {
    if (reading.value > limits.top) reading.annotate(\`more than \${limits.top}\` as string);
  },
});
function unused(): number { return 1 }
`;

describe('compileRule', () => {
  test('makes a version of a TypeScript file, which runs', async () => {
    const rule = compileRule(typed, 'typed.ts');
    expect(rule).toMatchObject({ name: 'typed', contract: ruleContract });
    expect(rule.id).toMatch(/^[0-9a-f]{64}$/);
    const sandbox = new IsolatedSandbox();
    const { texts, reason } = await sandbox.run(flowOf('typed', [{ rule, parameters: {} }]), sampleBatch());
    await sandbox.close();
    expect([...reason].map((index) => texts[index])).toEqual(['', '', '', 'more than 10']);
  });

  test('gives the same source the same id, and another one another', () => {
    expect(compileRule(typed, 'a.ts').id).toBe(compileRule(typed, 'b.ts').id);
    expect(compileRule(typed.replace('10', '11'), 'a.ts').id).not.toBe(compileRule(typed, 'a.ts').id);
  });

  test('keeps lines and columns, so that errors point into the file as it is', async () => {
    const rule = compileRule(typed.replace('if (reading.value', 'if (reading.nothing.value'), 'typed.ts');
    const sandbox = new IsolatedSandbox();
    const { failures } = await sandbox.run(flowOf('typed', [{ rule, parameters: {} }]), sampleBatch());
    await sandbox.close();
    expect(failures[0]?.message).toContain('(line 10)');
  });

  test('says nothing on the side about experimental features', () => {
    const warned = vi.spyOn(process, 'emitWarning');
    compileRule(typed, 'typed.ts');
    expect(warned).not.toHaveBeenCalled();
    warned.mockRestore();
  });

  test.each([
    ['an import', `import fs from 'node:fs';\n${typed}`, 'bad.ts:1:1: a rule can import nothing but'],
    ['an import for its effects', `${typed}\n  import 'x';`, 'bad.ts:15:1: a rule can import nothing but'],
    ['a re-export', `export * from 'node:fs';\n${typed}`, 'bad.ts:1:1'],
    ['the sdk as a whole', `import * as sdk from '@meterflow/rule-sdk';\n${typed}`, 'bad.ts:1:1'],
    ['another export', `${typed}export const more = 1;`, 'bad.ts:14:1: a rule exports nothing but'],
    ['no default export', 'const a = 1;', 'exactly one `export default defineRule'],
    ['two default exports', typed + typed, 'exactly one `export default defineRule'],
    ['another default export', 'export default { name: 1 };', 'exactly one `export default defineRule'],
    ['an enum', `enum A { B }\n${typed}`, 'bad.ts'],
    ['a syntax error', typed.replace('): void {', '): void'), 'bad.ts'],
    ['too much', ' '.repeat(300_000), 'longer than'],
  ])('refuses %s, and says where', (_, source, told) => {
    expect(() => compileRule(source, 'bad.ts')).toThrow(told);
  });
});
