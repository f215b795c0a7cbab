import { expect, inject, test } from 'vitest';
import { crashRun } from './crash-run.ts';

const input = inject('reference');

test('a server that is killed again and again comes to the same end state', { timeout: 900_000 }, async () => {
  const result = await crashRun({ input, kills: 14, seed: 11, mode: 'dev', everyMs: 400 });
  expect(result.faults).toEqual([]);
  expect([...result.killed.values()].reduce((sum, count) => sum + count, 0)).toBe(14);
});

test('an import that is killed and run again comes to the same end state', { timeout: 900_000 }, async () => {
  const result = await crashRun({ input, kills: 6, seed: 12, mode: 'import', everyMs: 800 });
  expect(result.faults).toEqual([]);
});
