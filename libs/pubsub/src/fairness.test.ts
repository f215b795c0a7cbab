import { skippedWithout, startPubsubEmulator } from '@meterflow/emulators';
import { systemClock, type Source } from '@meterflow/stage';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { PubsubBus } from './index.ts';
import { FakePubsub } from './testing/fake-pubsub.ts';
import { SharedEpochs } from './testing/shared-epochs.ts';

const processes = 6;
const backlog = 900;
const handleMs = 10;

describe('six processes on one backlog', () => {
  test.skipIf(skippedWithout('pubsub-emulator'))('share it on the emulator [needs pubsub-emulator]', async () => {
    const emulator = await startPubsubEmulator();
    expectFair(await settledByEach(emulator.address, 2_000));
    await emulator.stop();
  });

  // It hands out half of what is asked for, to whoever asks first, where the emulator never gives more than a hundred.
  test('share it on a server that gives much at once', async () => {
    const server = new FakePubsub(systemClock);
    await server.start();
    expectFair(await settledByEach(server.address, 10_000));
    server.stop();
  });
});

function expectFair(settled: readonly number[]): void {
  expect(Math.max(...settled), `settled: ${settled.join(', ')}`).toBeLessThanOrEqual(2 * Math.min(...settled));
}

/** Each process is a bus of its own, with its own connections: the server sees six clients. */
async function settledByEach(emulator: string, ackDeadlineMs: number): Promise<readonly number[]> {
  const epochs = new SharedEpochs();
  const buses = Array.from({ length: processes }, () => new PubsubBus({ projectId: 'fair', emulator, epochs }));
  const [first] = buses as [PubsubBus];
  const declaration = { topic: 'readings', subscriptions: ['stage'] };
  await first.provisioning({ ackDeadlineMs, retentionMs: 3_600_000 }).provision([declaration]);
  const payload = new Uint8Array(1_000);
  await first.publisher.publish(
    Array.from({ length: backlog }, () => ({ topic: 'readings', payload, attributes: { tenant: 'acme' } })),
  );
  const settled = buses.map(() => 0);
  const left = (): number => backlog - settled.reduce((total, count) => total + count, 0);
  await Promise.all(
    buses.map(async (bus, index) => {
      const source = bus.source('stage', { ackDeadlineMs });
      while (left() > 0) {
        await settleSome(source, () => {
          settled[index]! += 1;
        });
      }
    }),
  );
  await Promise.all(buses.map((bus) => bus.close()));
  return settled;
}

/** As a greedy stage does: it takes all it is given, and works through it. */
async function settleSome(source: Source, settled: () => void): Promise<void> {
  const { signal } = new AbortController();
  const messages = await source.receive({ messagesMax: 1_000, bytesMax: 100_000_000, waitMs: 100, signal });
  for (const message of messages) {
    await sleep(handleMs);
    await source.ack([message]);
    settled();
  }
}
