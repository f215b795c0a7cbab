import { expect, test } from 'vitest';
import { encodedMutationsMax, requestEntriesMax, requestMutationsMax } from './limits.ts';
import { mutationsWithin, type RowChange } from './table.ts';

const change = (name: string, mutations: number): RowChange => ({
  key: Buffer.from(name),
  mutations: Array.from({ length: mutations }, () => ({ removeRow: true as const })),
});
const sizes = (runs: readonly (readonly RowChange[])[]): number[] =>
  runs.map((run) => run.reduce((sum, { mutations }) => sum + mutations.length, 0));

test('a request holds at most 100,000 mutations in all its entries together, and may hold just so many', () => {
  const changes = [change('a', 60_000), change('b', 40_000), change('c', 1), change('d', 100_000), change('e', 2)];
  const runs = mutationsWithin(changes, requestMutationsMax);
  expect(sizes(runs)).toEqual([100_000, 1, 100_000, 2]);
  expect(runs.flat()).toEqual(changes);
  expect(mutationsWithin([], requestMutationsMax)).toEqual([]);
});

test('as many encoded entries as one request names stay below the bound', () => {
  expect(requestEntriesMax * encodedMutationsMax).toBeLessThanOrEqual(requestMutationsMax);
  // What a batch says of a series-day: the segment, and what it replaced within the batch.
  expect(encodedMutationsMax).toBeGreaterThanOrEqual(2);
});
