import { skippedWithout, type PartName } from '@meterflow/emulators';
import { afterAll, describe, expect, test } from 'vitest';
import { prove, shownFailure } from '../proof.ts';
import { googleWorlds } from './google-world.ts';

const parts: readonly PartName[] = ['pubsub-emulator', 'bigtable-emulator', 'redis'];

describe.skipIf(parts.some((part) => skippedWithout(part)))(
  `over Pub/Sub, Bigtable and Redis ${parts.map((part) => `[needs ${part}]`).join(' ')}`,
  () => {
    afterAll(() => googleWorlds.close());

    test('whatever befalls a process, the end state is the undisturbed one', { timeout: 120_000 }, async () => {
      const { schedules, failures } = await prove({ worlds: googleWorlds, schedules: 4, seed: 1 });
      expect(failures.map((failure) => shownFailure(failure, 'google'))).toEqual([]);
      expect(schedules).toBeGreaterThanOrEqual(4);
    });
  },
);
