import type { LeasedMessage, Source } from '@meterflow/stage';
import { expect, test } from 'vitest';
import { TellingSource } from './telling-source.ts';

function message(publishedAtMs: number): LeasedMessage {
  return { id: String(publishedAtMs), payload: new Uint8Array(1), attributes: {}, publishedAtMs, deliveryAttempt: 1 };
}

test('tells once a second how old the oldest in hand is, until none is', async () => {
  const came = [message(300), message(100), message(200)];
  const source: Source = {
    subscription: 'stage',
    ackDeadlineMs: 10_000,
    epoch: () => Promise.resolve(1),
    receive: () => Promise.resolve(came),
    ack: () => Promise.resolve(),
    nack: () => Promise.resolve(),
    extend: () => Promise.resolve(),
  };
  const told: number[] = [];
  const seconds: (() => void)[] = [];
  const telling = new TellingSource({
    source,
    clock: { nowMs: () => 0, sleep: () => new Promise((wake) => seconds.push(wake)) },
    tell: (publishedAtMs) => {
      told.push(publishedAtMs);
      // Redis may be down.
      return Promise.reject(new Error('down'));
    },
  });
  const secondPasses = async (): Promise<void> => {
    await new Promise(setImmediate);
    seconds.splice(0).forEach((wake) => {
      wake();
    });
    await new Promise(setImmediate);
  };
  const { signal } = new AbortController();
  await telling.receive({ messagesMax: 3, bytesMax: 10, waitMs: 0, signal });
  await secondPasses();
  await telling.ack(came.slice(1, 2));
  await secondPasses();
  await telling.nack(came.slice(2), 0);
  await secondPasses();
  await telling.ack(came.slice(0, 1));
  await secondPasses();
  await secondPasses();
  expect(told).toEqual([100, 100, 200, 300]);
  telling.close();
});
