import { skippedWithout } from '@meterflow/emulators';
import { expect, inject, test } from 'vitest';
import { crashRun } from '../crash-run.ts';

const needed = ['pubsub-emulator', 'bigtable-emulator', 'redis'] as const;

test.skipIf(needed.some((part) => skippedWithout(part)))(
  `a server on Google's emulators comes to the end state of the undisturbed embedded one, killed again and again while Redis and connections fail [needs ${needed.join(', ')}]`,
  { timeout: 900_000 },
  async () => {
    const result = await crashRun({ input: inject('reference'), kills: 12, seed: 13, mode: 'google', everyMs: 600 });
    expect(result.faults).toEqual([]);
    expect([...result.killed.values()].reduce((sum, count) => sum + count, 0)).toBe(12);
    expect([...result.disturbed.keys()].toSorted()).toEqual([
      'bigtable-outage',
      'pubsub-outage',
      'redis-flush',
      'redis-restart',
    ]);
  },
);
