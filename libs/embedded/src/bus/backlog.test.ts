import { silentTelemetry } from '@meterflow/stage';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { publishSizes, receiveNow, TemporaryBus } from '../testing/temporary-bus.ts';

let temporary: TemporaryBus;
const ackDeadlineMs = 10_000;

beforeEach(() => {
  temporary = new TemporaryBus();
});

afterEach(() => temporary.remove());

test('an empty subscription has no backlog', () => {
  const bus = temporary.open();
  expect(bus.backlog()).toEqual([
    { subscription: 's', topic: 't', messages: 0, bytes: 0, oldestPublishedAtMs: undefined, leased: 0 },
  ]);
});

test('the backlog counts what waits, what is leased and what was given back, until it is acked', async () => {
  const bus = temporary.open();
  const startMs = temporary.nowMs;
  await publishSizes(bus, 't', [10, 20]);
  temporary.nowMs += 1_000;
  await publishSizes(bus, 't', [30]);
  expect(bus.backlog()[0]).toMatchObject({ messages: 3, bytes: 60, oldestPublishedAtMs: startMs, leased: 0 });
  const source = bus.source('s', { ackDeadlineMs });
  const [first, second] = await receiveNow(source, 2);
  expect(bus.backlog()[0]).toMatchObject({ messages: 3, bytes: 60, leased: 2 });
  await source.nack([first!], 5_000);
  expect(bus.backlog()[0]).toMatchObject({ messages: 3, oldestPublishedAtMs: startMs, leased: 1 });
  await source.ack([second!]);
  expect(bus.backlog()[0]).toMatchObject({ messages: 2, bytes: 40, oldestPublishedAtMs: startMs });
  temporary.nowMs += 5_000;
  await source.ack(await receiveNow(source));
  expect(bus.backlog()[0]).toMatchObject({ messages: 0, bytes: 0, oldestPublishedAtMs: undefined });
});

test('retried messages count for their subscription alone', async () => {
  const bus = temporary.open();
  bus.declareSubscription({ name: 'other', topic: 't', from: 'start' });
  await publishSizes(bus, 's.retry', [7]);
  const byName = new Map(bus.backlog().map((backlog) => [backlog.subscription, backlog]));
  expect(byName.get('s')).toMatchObject({ messages: 1, bytes: 7 });
  expect(byName.get('other')).toMatchObject({ messages: 0, bytes: 0 });
});

test('what dead processes hold is due at once when they are said dead; others keep theirs', async () => {
  const [dead, alive] = [temporary.open({ owner: 'dead' }), temporary.open({ owner: 'alive' })];
  await publishSizes(dead, 't', [1, 2]);
  await receiveNow(dead.source('s', { ackDeadlineMs }), 1);
  const source = alive.source('s', { ackDeadlineMs });
  await receiveNow(source, 1);
  expect(alive.releaseLeases((owner) => owner === 'dead')).toBe(1);
  expect((await receiveNow(source)).map(({ payload, deliveryAttempt }) => [payload.length, deliveryAttempt])).toEqual([
    [1, 2],
  ]);
});

test('late acks are counted', async () => {
  const counted: [string, number | undefined][] = [];
  const telemetry = {
    ...silentTelemetry,
    count: (name: string, value?: number): void => {
      counted.push([name, value]);
    },
  };
  const [first, second] = [temporary.open({ telemetry }), temporary.open({ owner: 'b' })];
  await publishSizes(first, 't', [1, 2]);
  const source = first.source('s', { ackDeadlineMs });
  const late = await receiveNow(source);
  temporary.nowMs += ackDeadlineMs + 1;
  await receiveNow(second.source('s', { ackDeadlineMs }));
  await source.ack(late);
  expect(counted).toEqual([['bus_acks_late_total', 2]]);
});

test('a subscription is on one topic, once and for all', () => {
  const bus = temporary.open();
  expect(() => {
    bus.declareSubscription({ name: 's', topic: 'elsewhere', from: 'start' });
  }).toThrow('The subscription s is on t, not on elsewhere');
  expect(() => bus.source('nobody', { ackDeadlineMs })).toThrow('There is no subscription nobody');
  expect(() => {
    bus.declareTopic('../outside');
  }).toThrow("can't name a topic");
});

test('what was ever published counts by topic, also once it is acked', async () => {
  const bus = temporary.open();
  await publishSizes(bus, 't', [10, 20]);
  const source = bus.source('s', { ackDeadlineMs });
  await source.ack(await receiveNow(source, 2));
  await publishSizes(bus, 't', [5]);
  await publishSizes(bus, 's.retry', [7]);
  expect(Object.fromEntries(bus.publishedBytes())).toEqual({ t: 35, 's.retry': 7 });
});
