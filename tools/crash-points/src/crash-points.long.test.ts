import { expect, test } from 'vitest';
import { embeddedWorlds } from './embedded-world.ts';
import { availableParallelism } from 'node:os';
import { prove, shownFailure } from './proof.ts';
import { proveTogether } from './prove-together.ts';

const workers = availableParallelism();
const hoursMs = 3_600_000;

test('a quarter of a million schedules come to the undisturbed end state', { timeout: 12 * hoursMs }, async () => {
  const { schedules, failures } = await proveTogether({
    adapters: 'memory',
    schedules: 250_000,
    seed: 1_000,
    workers,
  });
  expect(failures.map((failure) => shownFailure(failure, 'memory'))).toEqual([]);
  expect(schedules).toBeGreaterThanOrEqual(250_000);
});

test('a thousand schedules over the embedded adapters come to it', { timeout: 12 * hoursMs }, async () => {
  const { schedules, failures } = await prove({ worlds: embeddedWorlds, schedules: 1_000, seed: 1_000 });
  expect(failures.map((failure) => shownFailure(failure, 'embedded'))).toEqual([]);
  expect(schedules).toBeGreaterThanOrEqual(1_000);
});
