import { expect, test } from 'vitest';
import { defaultFlow } from './index.ts';

test('the default flow flags and changes nothing else', () => {
  expect(defaultFlow.steps.map(({ rule, parameters }) => [rule.name, parameters])).toEqual([
    ['flag-range', { below: 0 }],
  ]);
});
