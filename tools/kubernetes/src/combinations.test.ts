import { expect, test } from 'vitest';
import { combinations, everyPair } from './combinations.ts';

function pairsOf(all: readonly (readonly string[])[]): ReadonlySet<string> {
  return new Set(
    all.flatMap((components) => components.flatMap((one) => components.map((other) => `${one} ${other}`))),
  );
}

test('a few of the combinations have every two components together that any has', () => {
  const all = combinations();
  const few = everyPair(all);
  expect(pairsOf(few)).toEqual(pairsOf(all));
  expect(few.length).toBeLessThan(all.length / 10);
});
