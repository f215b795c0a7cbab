import { expect, test } from 'vitest';
import { downstreamAgeMsMax, WatchedDownstream } from './watched-downstream.ts';
import type { Waiting } from './platform.ts';

const startMs = 1_000_000_000;

function watched(answer: () => readonly Waiting[]) {
  let nowMs = startMs;
  let asked = 0;
  const downstream = new WatchedDownstream({
    subscriptions: ['persistence-validated.bulk'],
    // eslint-disable-next-line @typescript-eslint/require-await -- what it throws is to reject
    backlogs: async () => {
      asked += 1;
      return answer();
    },
    clock: { nowMs: () => nowMs, sleep: () => Promise.resolve() },
  });
  return { downstream, asked: () => asked, pass: (ms: number) => void (nowMs += ms) };
}

const waiting = (subscription: string, ageMs: number): Waiting => ({
  subscription,
  bytes: 0,
  oldestPublishedAtMs: startMs - ageMs,
});

test('a stage is behind whose oldest message waits too long; that of another holds nobody back', async () => {
  const old = downstreamAgeMsMax + 1;
  expect(await watched(() => [waiting('persistence-validated.bulk', old)]).downstream.isBehind()).toBe(true);
  expect(await watched(() => [waiting('persistence-validated.bulk', old - 1)]).downstream.isBehind()).toBe(false);
  expect(await watched(() => [waiting('aggregation.bulk', old)]).downstream.isBehind()).toBe(false);
  expect(await watched(() => []).downstream.isBehind()).toBe(false);
});

test('it is asked no more than once a second, and nobody who can not answer holds a stage back', async () => {
  const { downstream, asked, pass } = watched(() => {
    throw new Error('down');
  });
  expect([await downstream.isBehind(), await downstream.isBehind(), asked()]).toEqual([false, false, 1]);
  pass(1_000);
  expect([await downstream.isBehind(), asked()]).toEqual([false, 2]);
});
