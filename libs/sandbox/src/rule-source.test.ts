import { bundledSource } from '@meterflow/rules';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { ruleBody } from './rule-source.ts';

const rule = `import { defineRule, other } from "@meterflow/rule-sdk";
const limit = 10
export default defineRule({
  onReading(reading) {},
});
`;

test('import and export are blanked, and all else stays where it is', () => {
  const body = ruleBody(rule);
  expect(body.split('\n').slice(1, 3)).toEqual(['const limit = 10', ';              defineRule({']);
  expect(body).toHaveLength(rule.length);
});

test.each([
  ['an import', `import fs from 'node:fs';\n${rule}`, 'a rule can import nothing but'],
  ['an import for its effects', `${rule}\n  import 'x';`, 'a rule can import nothing but'],
  ['a re-export', `export * from 'node:fs';\n${rule}`, 'a rule can import nothing but'],
  ['the sdk as a whole', `import * as sdk from '@meterflow/rule-sdk';\n${rule}`, 'nothing but'],
  ['another export', `${rule}export const more = 1;`, 'a rule exports nothing but'],
  ['no default export', 'const a = 1;', 'exactly one `export default defineRule'],
  ['two default exports', rule + rule, 'exactly one `export default defineRule'],
])('refuses %s', (_, source, told) => {
  expect(() => ruleBody(source)).toThrow(told);
});

test('of a bundle every line stays where it is, whatever its texts hold', () => {
  const source = bundledSource('const text = `\nexport default 1;\nimport x from "x";`;\nreturn { text };');
  const body = ruleBody(source);
  expect(body.split('\n').slice(2)).toEqual(source.split('\n').slice(2));
  const told: unknown[] = [];
  runInNewContext(body, { defineRule: (definition: unknown) => told.push(definition) });
  expect(told).toEqual([{ text: '\nexport default 1;\nimport x from "x";' }]);
});
