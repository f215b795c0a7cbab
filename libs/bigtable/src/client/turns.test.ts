import { expect, test } from 'vitest';
import { Turns } from './turns.ts';

test('one at a time, in their order, each with its own outcome', async () => {
  const turns = new Turns();
  const told: string[] = [];
  const work =
    (name: string, fails = false) =>
    async (): Promise<string> => {
      told.push(`${name} begins`);
      await Promise.resolve();
      told.push(`${name} ends`);
      return fails ? Promise.reject(new Error(name)) : name;
    };
  const outcomes = await Promise.allSettled([
    turns.take(work('a', true)),
    turns.take(work('b')),
    turns.take(work('c')),
  ]);
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled']);
  expect(told).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
});
