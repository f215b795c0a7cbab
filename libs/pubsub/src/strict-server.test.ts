import { describeBus } from '@meterflow/stage/testing';
import { afterAll, beforeAll } from 'vitest';
import { AdvancingClock } from './testing/advancing-clock.ts';
import { busUnderTest } from './testing/bus-under-test.ts';
import { FakePubsub } from './testing/fake-pubsub.ts';

const clock = new AdvancingClock();
const server = new FakePubsub(clock);

beforeAll(() => server.start());
afterAll(() => {
  server.stop();
});

describeBus('PubsubBus on a strict server', () =>
  busUnderTest({ address: server.address, clock, advance: (ms) => clock.advance(ms), ackDeadlineMs: 10_000 }),
);
