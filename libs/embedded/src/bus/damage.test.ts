import { readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { FatalError, TransientError } from '@meterflow/stage';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { publishSizes, receiveNow, TemporaryBus } from '../testing/temporary-bus.ts';

let temporary: TemporaryBus;
const ackDeadlineMs = 10_000;

beforeEach(() => {
  temporary = new TemporaryBus();
});

afterEach(() => temporary.remove());

test('a topic that holds topicBytesMax refuses more, keeps what it has, and goes on when something was trimmed', async () => {
  const bus = temporary.open({ topicBytesMax: 10_000, retentionMs: 1_000 });
  await publishSizes(bus, 't', [4_000, 4_001]);
  await expect(publishSizes(bus, 't', [4_002])).rejects.toThrow(TransientError);
  await publishSizes(bus, 't', [1_000]);
  const source = bus.source('s', { ackDeadlineMs });
  const messages = await receiveNow(source);
  expect(messages.map(({ payload }) => payload.length)).toEqual([4_000, 4_001, 1_000]);
  await source.ack(messages);
  temporary.nowMs += 2_000;
  await bus.maintain();
  await publishSizes(bus, 't', [4_003]);
  expect((await receiveNow(source)).map(({ payload }) => payload.length)).toEqual([4_003]);
});

test('a message too large for the topic fails the whole call, and only this call', async () => {
  const bus = temporary.open({ topicBytesMax: 10_000 });
  const message = (size: number): { topic: string; payload: Uint8Array; attributes: Record<string, string> } => ({
    topic: 't',
    payload: new Uint8Array(size),
    attributes: {},
  });
  await expect(bus.publisher.publish([message(10), message(20_000)])).rejects.toThrow('topicBytesMax');
  await bus.publisher.publish([message(11)]);
  const messages = await receiveNow(bus.source('s', { ackDeadlineMs }));
  expect(messages.map(({ payload }) => payload.length)).toEqual([11]);
});

test('a topic file that is no database is fatal, named, and left as it is', async () => {
  const bus = temporary.open();
  await publishSizes(bus, 't', [1]);
  await bus.close();
  const file = temporary.directory.topic('t');
  rmSync(`${file}-wal`, { force: true });
  const garbage = Buffer.alloc(8_192, 'not a database ');
  writeFileSync(file, garbage);
  expect(() => temporary.open()).toThrow(FatalError);
  expect(() => temporary.open()).toThrow(`${file} is damaged`);
  expect(readFileSync(file)).toEqual(garbage);
});

test('a segment that ends too early is fatal, named, and nothing is leased: put back, all comes', async () => {
  const bus = temporary.open();
  await publishSizes(bus, 't', [150_000, 160_000]);
  const folder = dirname(temporary.directory.topology);
  const segment = join(
    folder,
    readdirSync(folder).find((name) => name.includes('.payloads-'))!,
  );
  const whole = readFileSync(segment);
  truncateSync(segment, 160_000);
  const receiving = receiveNow(bus.source('s', { ackDeadlineMs }));
  await expect(receiving).rejects.toThrow(FatalError);
  await expect(receiving).rejects.toThrow(`${segment} is damaged`);
  writeFileSync(segment, whole);
  const messages = await receiveNow(bus.source('s', { ackDeadlineMs }));
  expect(messages.map(({ payload }) => payload.length)).toEqual([150_000, 160_000]);
});
