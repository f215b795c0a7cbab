import { readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { publishSizes, receiveNow, TemporaryBus } from '../testing/temporary-bus.ts';
import type { EmbeddedBus } from './embedded-bus.ts';

let temporary: TemporaryBus;
const retention = { retentionMs: 60_000, retentionBytesMax: 1_000_000 };
const ackDeadlineMs = 10_000;

beforeEach(() => {
  temporary = new TemporaryBus();
});

afterEach(() => temporary.remove());

async function settleAll(bus: EmbeddedBus, subscription = 's'): Promise<void> {
  const source = bus.source(subscription, { ackDeadlineMs });
  await source.ack(await receiveNow(source));
}

async function replayed(bus: EmbeddedBus): Promise<number[]> {
  bus.replay({ subscription: 's', fromMs: 0 });
  const messages = await receiveNow(bus.source('s', { ackDeadlineMs }));
  return messages.map(({ payload }) => payload.length);
}

function segments(): number {
  return readdirSync(dirname(temporary.directory.topology)).filter((name) => name.includes('.payloads-')).length;
}

test('settled messages go when they are older than retentionMs; the newest one stays', async () => {
  const bus = temporary.open(retention);
  await publishSizes(bus, 't', [1, 2, 3]);
  await settleAll(bus);
  expect(await bus.maintain()).toBe(0);
  temporary.nowMs += 60_001;
  expect(await bus.maintain()).toBe(2);
  expect(await replayed(bus)).toEqual([3]);
});

test('settled messages go when younger ones hold more than retentionBytesMax', async () => {
  const bus = temporary.open(retention);
  await publishSizes(bus, 't', [400_000, 400_001, 400_002, 400_003]);
  await settleAll(bus);
  expect(await bus.maintain()).toBe(2);
  expect(await replayed(bus)).toEqual([400_002, 400_003]);
});

test('a message that one subscription has not settled stays, and so does all after it', async () => {
  const bus = temporary.open(retention);
  bus.declareSubscription({ name: 'slow', topic: 't', from: 'start' });
  await publishSizes(bus, 't', [1, 2, 3, 4]);
  await settleAll(bus);
  const slow = bus.source('slow', { ackDeadlineMs });
  const messages = await receiveNow(slow);
  await slow.ack([messages[0]!, messages[2]!, messages[3]!]);
  temporary.nowMs += 60_001;
  expect(await bus.maintain()).toBe(1);
  expect((await receiveNow(slow)).map(({ payload }) => payload.length)).toEqual([2]);
});

test('a message that nobody has received yet stays, however old', async () => {
  const bus = temporary.open(retention);
  await publishSizes(bus, 't', [1, 2]);
  temporary.nowMs += 1_000_000;
  expect(await bus.maintain()).toBe(0);
  expect(await receiveNow(bus.source('s', { ackDeadlineMs }))).toHaveLength(2);
});

test('retried messages are trimmed like others', async () => {
  const bus = temporary.open(retention);
  await publishSizes(bus, 's.retry', [1, 2, 3]);
  temporary.nowMs += 60_001;
  expect(await bus.maintain()).toBe(0);
  await settleAll(bus);
  expect(await bus.maintain()).toBe(2);
});

test('a segment’s file goes with its last message', async () => {
  const bus = temporary.open(retention);
  await publishSizes(
    bus,
    't',
    Array.from({ length: 40 }, () => 1_000_000),
  );
  await settleAll(bus);
  expect(segments()).toBe(3);
  await bus.maintain();
  expect(segments()).toBe(1);
  expect(await replayed(bus)).toEqual([1_000_000]);
});

test('a publisher whose segment was trimmed takes a new one and loses nothing', async () => {
  const [first, second] = [temporary.open(retention), temporary.open({ ...retention, owner: 'b' })];
  await publishSizes(first, 't', [70_000]);
  await publishSizes(second, 't', [80_000, 3]);
  await settleAll(first);
  temporary.nowMs += 60_001;
  await first.maintain();
  expect(segments()).toBe(0);
  await publishSizes(first, 't', [90_000]);
  await publishSizes(second, 't', [100_000]);
  const messages = await receiveNow(first.source('s', { ackDeadlineMs }));
  expect(messages.map(({ payload }) => [payload.length, payload[0]])).toEqual([
    [90_000, 90_000 & 255],
    [100_000, 100_000 & 255],
  ]);
});

test('numbers go on after everything was trimmed and the bus was opened again', async () => {
  const first = temporary.open(retention);
  await publishSizes(first, 't', [1, 2]);
  await settleAll(first);
  temporary.nowMs += 60_001;
  await first.maintain();
  await first.close();
  const second = temporary.open(retention);
  await publishSizes(second, 't', [3]);
  expect((await receiveNow(second.source('s', { ackDeadlineMs }))).map(({ payload }) => payload.length)).toEqual([3]);
});
