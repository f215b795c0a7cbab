import { skippedWithout, startPubsubEmulator, type RunningPart } from '@meterflow/emulators';
import { describeBus } from '@meterflow/stage/testing';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe } from 'vitest';
import { busUnderTest } from './testing/bus-under-test.ts';

describe.skipIf(skippedWithout('pubsub-emulator'))('the emulator [needs pubsub-emulator]', () => {
  let emulator: RunningPart;

  beforeAll(async () => {
    emulator = await startPubsubEmulator();
  });

  afterAll(() => emulator.stop());

  describeBus('PubsubBus', () =>
    busUnderTest({
      address: emulator.address,
      advance: (ms) => sleep(ms),
      // The emulator takes less than the ten seconds that the service wants at least.
      ackDeadlineMs: 1_000,
      nackDelayMs: 2_000,
    }),
  );
});
