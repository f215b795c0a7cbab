import { status } from '@grpc/grpc-js';
import { TransientError } from '@meterflow/stage';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { receive, receiveAll, StrictWorld, texts } from './testing/strict-world.ts';

const ackDeadlineMs = 10_000;
let world: StrictWorld;

beforeEach(async () => {
  world = await StrictWorld.open();
});

afterEach(() => world.close());

/** Asks and comes away empty: the pull that this began is still out and brings what is published next. */
async function leavePullOut(source: ReturnType<StrictWorld['source']>, signal?: AbortSignal): Promise<void> {
  expect(await receive(source, { waitMs: 30, ...(signal !== undefined && { signal }) })).toEqual([]);
}

async function eventually(holds: () => boolean): Promise<void> {
  for (let turn = 0; turn < 200 && !holds(); turn += 1) {
    await world.clock.sleep(5);
  }
  expect(holds()).toBe(true);
}

describe('a pull that fails', () => {
  test.each([status.UNAVAILABLE, status.RESOURCE_EXHAUSTED, status.INTERNAL])(
    '(status %i) is a TransientError to who receives; the next one goes on',
    async (code) => {
      await world.publish('a');
      const source = world.source();
      world.server.fail('pull', code, { times: 2 });
      await expect(receive(source)).rejects.toThrow(TransientError);
      const messages = await receive(source).catch(() => receive(source));
      expect(texts(messages)).toEqual(['a']);
    },
  );

  test('because its connection is half closed is given up in time', async () => {
    await world.publish('a');
    world.server.fail('pull', 'never answers', { times: 2 });
    const messages = await receive(world.source({ pullTimeoutMs: 100 }), { waitMs: 5_000 });
    expect(texts(messages)).toEqual(['a']);
    // On a slow machine an idle pull may count as well.
    expect(world.counts.get('bus_pulls_unanswered_total')).toBeGreaterThanOrEqual(2);
  });
});

describe('an ack that fails', () => {
  test.each([status.UNAVAILABLE, status.DEADLINE_EXCEEDED, status.RESOURCE_EXHAUSTED])(
    'for a moment (status %i) goes through',
    async (code) => {
      await world.publish('a');
      const source = world.source();
      const messages = await receive(source);
      world.server.fail('acknowledge', code, { times: 2 });
      await source.ack(messages);
      expect(world.server.unsettled('stage')).toBe(0);
    },
  );

  test('for good is a TransientError, and the message comes again', async () => {
    await world.publish('a');
    const source = world.source();
    world.server.fail('acknowledge', status.UNAVAILABLE, { times: 3 });
    await expect(source.ack(await receive(source))).rejects.toThrow(TransientError);
    await world.clock.advance(ackDeadlineMs + 1);
    expect(texts(await receive(source))).toEqual(['a']);
  });

  test('because only its answer was lost has settled', async () => {
    await world.publish('a');
    const source = world.source();
    world.server.fail('acknowledge', status.UNAVAILABLE, { done: true });
    await source.ack(await receive(source));
    expect(world.server.unsettled('stage')).toBe(0);
  });

  test('because it comes too late is counted, and the message comes again', async () => {
    await world.publish('a');
    const source = world.source();
    const messages = await receive(source);
    await world.clock.advance(ackDeadlineMs + 1);
    await source.ack(messages);
    expect([world.counts.get('bus_acks_late_total'), world.server.lateCalls]).toEqual([1, 1]);
    expect(texts(await receive(source))).toEqual(['a']);
  });
});

test('a lease that ran out is no longer extended or given back: it may be another’s', async () => {
  await world.publish('a');
  const source = world.source();
  const messages = await receive(source);
  await world.clock.advance(ackDeadlineMs + 1);
  await source.extend(messages);
  await source.nack(messages, 0);
  expect(world.calls('modifyAckDeadline')).toBe(0);
  expect([world.counts.get('bus_extensions_late_total'), world.counts.get('bus_nacks_late_total')]).toEqual([1, 1]);
});

// The traps of the client's own subscriber (DESIGN §4), which hides a queue of a thousand leases and empties it in its own way.
describe('the traps of the client', () => {
  test('no more is leased than the stage asked for, however much waits', async () => {
    await world.publish(...Array.from({ length: 200 }, (_, index) => `m${index}`));
    await receiveAll(world.source(), 16);
    await world.clock.sleep(50);
    expect(world.server.leased('stage')).toBe(16);
  });

  test('closing gives back nothing that is in work, and does not wait for it', async () => {
    await world.publish('in work');
    const bus = world.bus();
    const source = bus.source('stage', { ackDeadlineMs });
    await receive(source);
    await bus.close();
    expect(await receive(world.source(), { waitMs: 100 })).toEqual([]);
    expect(world.calls('modifyAckDeadline')).toBe(0);
  });

  test('a drain gives back only what never started; what has is settled after it', async () => {
    const source = world.source();
    const drain = new AbortController();
    await world.publish('started');
    const started = await receive(source, { signal: drain.signal });
    await leavePullOut(source, drain.signal);
    await world.publish('not started');
    await eventually(() => world.server.leased('stage') === 2);
    await world.clock.sleep(30);
    drain.abort();
    expect(texts(await receive(world.source()))).toEqual(['not started']);
    await source.ack(started);
    expect([world.server.unsettled('stage'), world.server.lateCalls]).toEqual([1, 0]);
  });

  test('what no stage comes for goes back within half an ack deadline', async () => {
    const source = world.source();
    await leavePullOut(source);
    await world.publish('waits');
    await eventually(() => world.server.leased('stage') === 1);
    await world.clock.sleep(30);
    await world.clock.advance(ackDeadlineMs / 2);
    await eventually(() => world.server.leased('stage') === 0);
    expect(texts(await receive(world.source()))).toEqual(['waits']);
  });

  test('a slow stage leases only what it can finish in half an ack deadline, however much it asks for', async () => {
    await world.publish(...Array.from({ length: 40 }, (_, index) => `m${index}`));
    const source = world.source();
    for (const message of await receiveAll(source, 2)) {
      await world.clock.advance(2_000);
      await source.ack([message]);
    }
    await receive(source, { messagesMax: 40 });
    await receive(source, { messagesMax: 40, waitMs: 50 });
    // One in two seconds, in five seconds, rounded up.
    expect(world.server.leased('stage')).toBeLessThanOrEqual(3);
  });

  test('bytes in work are bounded as messages are', async () => {
    const bytes = 100_000;
    await world.publish(...Array.from({ length: 20 }, () => 'x'.repeat(bytes)));
    const source = world.source({ leasedBytesMax: 3 * bytes });
    await receive(source, { messagesMax: 1 });
    await receive(source, { messagesMax: 1 });
    await receive(source);
    await receive(source, { waitMs: 50 });
    expect(world.server.leased('stage')).toBeLessThanOrEqual(4);
  });

  test('messages of the retry topic come also when the subscription has none and when it has many', async () => {
    const source = world.source();
    const retry = { topic: 'stage.retry', payload: Buffer.from('again'), attributes: { tenant: 'acme' } };
    await world.bus().publisher.publish([retry]);
    expect(texts(await receive(source))).toEqual(['again']);
    await world.publish(...Array.from({ length: 50 }, (_, index) => `m${index}`));
    await world.bus().publisher.publish([retry]);
    expect(texts(await receiveAll(source, 51))).toContain('again');
  });
});

test('what was pulled while the epochs are down goes back at once, and not when its lease ends', async () => {
  await world.publish('a');
  const source = world.source();
  const current = world.epochs.current.bind(world.epochs);
  Object.assign(world.epochs, { current: () => Promise.reject(new TransientError('down')) });
  await expect(receive(source)).rejects.toThrow(TransientError);
  expect(world.server.leased('stage')).toBe(0);
  Object.assign(world.epochs, { current });
  expect(texts(await receive(world.source()))).toEqual(['a']);
});

test('an ack that is tried again settles nothing that a replay has asked for meanwhile', async () => {
  await world.publish('a');
  const source = world.source({ callRetryDelayMs: 100, epochCacheMs: 20, ackTimeoutMs: 50 });
  const messages = await receive(source);
  world.server.fail('acknowledge', status.UNAVAILABLE, { times: 1 });
  const acked = source.ack(messages);
  await eventually(() => world.calls('acknowledge') === 1);
  await world.epochs.raise('stage');
  await acked;
  expect([world.calls('acknowledge'), world.server.unsettled('stage')]).toEqual([1, 1]);
});

test('a replay moves the subscription only when no ack from before it is under way any more', async () => {
  await world.publish('a');
  const ackTimeoutMs = 200;
  const { replay } = world.bus({ epochCacheMs: 20, ackTimeoutMs });
  const sinceMs = performance.now();
  await replay.replay({ subscription: 'stage', fromMs: 0 });
  expect(performance.now() - sinceMs).toBeGreaterThanOrEqual(ackTimeoutMs);
});

test('while the epochs are down nothing is acked: a replay might have begun', async () => {
  await world.publish('a');
  const source = world.source();
  const messages = await receive(source);
  Object.assign(world.epochs, { current: () => Promise.reject(new TransientError('down')) });
  await world.clock.advance(1_000);
  await expect(source.ack(messages)).rejects.toThrow(TransientError);
  expect(world.calls('acknowledge')).toBe(0);
});
