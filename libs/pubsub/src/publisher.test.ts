import { status } from '@grpc/grpc-js';
import { FatalError, PermanentError, TransientError } from '@meterflow/stage';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { outgoing, receive, receiveAll, StrictWorld, texts } from './testing/strict-world.ts';

let world: StrictWorld;

beforeEach(async () => {
  world = await StrictWorld.open();
});

afterEach(() => world.close());

describe('a publish that fails', () => {
  test.each([status.UNAVAILABLE, status.DEADLINE_EXCEEDED, status.RESOURCE_EXHAUSTED])(
    'for a moment (status %i) goes through all the same',
    async (code) => {
      world.server.fail('publish', code, { times: 2 });
      await world.publish('a');
      expect([world.calls('publish'), texts(await receive(world.source()))]).toEqual([3, ['a']]);
    },
  );

  test.each([status.UNAVAILABLE, status.DEADLINE_EXCEEDED, status.RESOURCE_EXHAUSTED])(
    'for good (status %i) is a TransientError after few tries, and counted',
    async (code) => {
      world.server.fail('publish', code, { times: 100 });
      await expect(world.publish('a', 'b')).rejects.toThrow(TransientError);
      expect(world.calls('publish')).toBeLessThanOrEqual(3);
      expect(world.counts.get('bus_publishes_failed_total')).toBe(2);
    },
  );

  test('because its answer was lost may come twice, but is not lost', async () => {
    world.server.fail('publish', status.UNAVAILABLE, { done: true });
    await world.publish('a');
    expect(texts(await receiveAll(world.source(), 2))).toEqual(['a', 'a']);
  });

  test('because nobody ever answers ends in time', async () => {
    world.server.fail('publish', 'never answers', { times: 100 });
    const { publisher } = world.bus({ callTimeoutMs: 50 });
    await expect(publisher.publish([outgoing('a')])).rejects.toThrow(TransientError);
  });

  test('because Pub/Sub never takes one message costs no other that went with it', async () => {
    const { publisher } = world.bus();
    const reserved = { ...outgoing('b'), attributes: { 'googclient-id': '1' } };
    const results = await Promise.allSettled(
      [[outgoing('a')], [reserved], [outgoing('c')]].map((group) => publisher.publish(group)),
    );
    expect(results.map(({ status: how }) => how)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(results[1]).toMatchObject({ reason: expect.any(PermanentError) as unknown });
    expect(texts(await receiveAll(world.source(), 2))).toEqual(['a', 'c']);
  });

  test('because this process has no right to it is fatal, as with every other service', async () => {
    world.server.fail('publish', status.PERMISSION_DENIED, { times: 100 });
    await expect(world.publish('a')).rejects.toThrow(FatalError);
    expect(world.calls('publish')).toBe(1);
  });

  test('because there is no such topic is fatal: the process is wired wrongly', async () => {
    const lost = { ...outgoing('a'), topic: 'nowhere' };
    await expect(world.bus().publisher.publish([lost])).rejects.toThrow(FatalError);
  });
});

describe('limits', () => {
  test('a message that Pub/Sub would never take is a PermanentError, and nothing of the call is sent', async () => {
    const { publisher } = world.bus();
    const large = { ...outgoing(''), payload: new Uint8Array(10_000_000) };
    await expect(publisher.publish([outgoing('a'), large])).rejects.toThrow(PermanentError);
    const longAttribute = { ...outgoing('a'), attributes: { tenant: 'x'.repeat(1_025) } };
    await expect(publisher.publish([longAttribute])).rejects.toThrow(PermanentError);
    expect(world.calls('publish')).toBe(0);
  });

  test('one just below passes', async () => {
    await world.bus().publisher.publish([{ ...outgoing(''), payload: new Uint8Array(9_999_000) }]);
    const [message] = await receive(world.source());
    expect(message?.payload.length).toBe(9_999_000);
  });

  test('batches keep to the size of a request', async () => {
    const payload = new Uint8Array(1_000_000);
    await world.bus().publisher.publish(Array.from({ length: 30 }, () => ({ ...outgoing(''), payload })));
    expect(world.server.unsettled('stage')).toBe(30);
  });

  test('what is published while calls are in flight goes together in the next', async () => {
    const { publisher } = world.bus({ batchesInFlightMax: 1 });
    await Promise.all(Array.from({ length: 50 }, (_, index) => publisher.publish([outgoing(`m${index}`)])));
    expect(world.server.unsettled('stage')).toBe(50);
    expect(world.calls('publish')).toBeLessThanOrEqual(3);
  });

  test('a publisher that is full takes no more until something went out', async () => {
    world.server.fail('publish', 'never answers', { times: 1 });
    const { publisher } = world.bus({ publishBytesMax: 200, callTimeoutMs: 200, callAttemptsMax: 1 });
    const first = publisher.publish([outgoing('x'.repeat(150))]);
    const second = publisher.publish([outgoing('y'.repeat(150))]);
    await world.clock.sleep(50);
    expect(world.calls('publish')).toBe(1);
    await expect(first).rejects.toThrow(TransientError);
    await second;
    expect(world.calls('publish')).toBe(2);
  });

  test('trace context and content type pass as they are', async () => {
    const attributes = {
      tenant: 'acme',
      'content-type': 'application/x-protobuf; messageType="meterflow.v1.ReadingBatch"',
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      tracestate: 'a=b',
    };
    await world.bus().publisher.publish([{ ...outgoing('a'), attributes }]);
    const [message] = await receive(world.source());
    expect(message?.attributes).toEqual(attributes);
  });
});
