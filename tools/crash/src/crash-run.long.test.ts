import { expect, inject, test } from 'vitest';
import { crashRun } from './crash-run.ts';

const input = inject('reference');

test('a server that is killed a hundred times comes to the same end state', { timeout: 3_600_000 }, async () => {
  const result = await crashRun({ input, kills: 100, seed: 21, mode: 'dev', everyMs: 600 });
  expect(result.faults).toEqual([]);
});

test('an import that is killed a hundred times comes to the same end state', { timeout: 3_600_000 }, async () => {
  const result = await crashRun({ input, kills: 100, seed: 22, mode: 'import', everyMs: 1_500 });
  expect(result.faults).toEqual([]);
});
