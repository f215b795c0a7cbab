import { systemClock, type Clock } from '@meterflow/stage';
import { describeBus } from '@meterflow/stage/testing';
import { afterAll, beforeAll } from 'vitest';
import { busUnderTest } from './testing/bus-under-test.ts';
import { FakePubsub } from './testing/fake-pubsub.ts';

let aheadMs = 0;
const clock: Clock = { ...systemClock, nowMs: () => systemClock.nowMs() + aheadMs };
const server = new FakePubsub(clock);

beforeAll(() => server.start());
afterAll(() => {
  server.stop();
});

describeBus('PubsubBus on a strict server', () =>
  busUnderTest({
    address: server.address,
    clock,
    advance: (ms) => {
      aheadMs += ms;
      return Promise.resolve();
    },
    ackDeadlineMs: 10_000,
  }),
);
