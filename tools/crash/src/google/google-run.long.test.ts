import { skippedWithout } from '@meterflow/emulators';
import { expect, inject, test } from 'vitest';
import { crashRun } from '../crash-run.ts';

const needed = ['pubsub-emulator', 'bigtable-emulator', 'redis'] as const;

test.skipIf(needed.some((part) => skippedWithout(part)))(
  `a thousand kills on Google's emulators come to the end state of the undisturbed embedded run [needs ${needed.join(', ')}]`,
  { timeout: 7_200_000 },
  async () => {
    const result = await crashRun({ input: inject('reference'), kills: 1_000, seed: 23, mode: 'google', everyMs: 600 });
    expect(result.faults).toEqual([]);
  },
);
