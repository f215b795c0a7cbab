import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { defaultFlow, stockRules } from './index.ts';

test.each(stockRules.map((rule) => [rule.name, rule] as const))('the id of %s is the hash of its source', (_, rule) => {
  expect(rule.id).toBe(createHash('sha256').update(rule.source).digest('hex'));
});

test('the default flow flags and changes nothing else', () => {
  expect(defaultFlow.steps.map(({ rule, parameters }) => [rule.name, parameters])).toEqual([
    ['flag-range', { below: 0 }],
  ]);
});
