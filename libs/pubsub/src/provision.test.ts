import { topology } from '@meterflow/contracts';
import { status } from '@grpc/grpc-js';
import { FatalError, TransientError } from '@meterflow/stage';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Provisioning } from './index.ts';
import { StrictWorld } from './testing/strict-world.ts';

const settings = { ackDeadlineMs: 60_000, retentionMs: 86_400_000 };

describe('provisioning', () => {
  let world: StrictWorld;
  let provisioning: Provisioning;

  beforeAll(async () => {
    world = await StrictWorld.open();
    provisioning = world.bus().provisioning(settings);
  });

  afterAll(() => world.close());

  test('makes every topic and subscription of the lanes, each with its retry topic; again it finds nothing to do', async () => {
    const declared = topology(['live', 'bulk']);
    const absent = await provisioning.check(declared);
    expect(absent.map(({ resource }) => resource)).toEqual(
      expect.arrayContaining([
        'topic readings.accepted.live',
        'subscription persistence-raw.live',
        'topic persistence-raw.live.retry',
        'subscription persistence-raw.live.retry',
      ]),
    );
    expect(absent.every(({ field }) => field === 'existence')).toBe(true);
    expect(await provisioning.provision(declared)).toEqual(absent);
    expect(await provisioning.provision(declared)).toEqual([]);
    expect(await provisioning.check(declared)).toEqual([]);
  });

  test('a check tells the drift and changes nothing; a provision mends it', async () => {
    const declared = [{ topic: 'drifting', subscriptions: ['reader'] }];
    await world.bus().provisioning({ ackDeadlineMs: 30_000, retentionMs: 3_600_000 }).provision(declared);
    const drift = await provisioning.check(declared);
    expect(drift).toContainEqual({
      resource: 'subscription reader',
      field: 'ackDeadlineMs',
      found: '30000',
      wanted: '60000',
    });
    expect(drift).toContainEqual({
      resource: 'topic drifting',
      field: 'retentionMs',
      found: '3600000',
      wanted: '86400000',
    });
    expect(await provisioning.check(declared)).toEqual(drift);
    expect(await provisioning.provision(declared)).toEqual(drift);
    expect(await provisioning.check(declared)).toEqual([]);
  });

  test('a subscription on another topic is told, and never moved', async () => {
    await provisioning.provision([{ topic: 'original', subscriptions: ['fixed'] }]);
    const moved = [{ topic: 'elsewhere', subscriptions: ['fixed'] }];
    expect(await provisioning.check(moved)).toContainEqual(
      expect.objectContaining({ resource: 'subscription fixed', field: 'topic' }),
    );
    await expect(provisioning.provision(moved)).rejects.toThrow(FatalError);
  });

  test.each(['seek', 'updateSubscription'])(
    'one that died before its %s is finished by the next: nothing that the topic kept is left out',
    async (method) => {
      const topic = `kept-${method.toLowerCase()}`;
      const declared = [{ topic, subscriptions: [`late-${method.toLowerCase()}`] }];
      await provisioning.topic(topic);
      await world.bus().publisher.publish([{ topic, payload: Buffer.from('kept'), attributes: { tenant: 'acme' } }]);
      world.server.fail(method, status.UNAVAILABLE, { times: 3 });
      await expect(provisioning.provision(declared)).rejects.toThrow(TransientError);
      const drift = expect.objectContaining({ field: 'start', found: 'not there yet' }) as unknown;
      expect(await provisioning.check(declared)).toContainEqual(drift);
      await provisioning.provision(declared);
      expect(world.server.unsettled(`late-${method.toLowerCase()}`)).toBe(1);
      expect(await provisioning.provision(declared)).toEqual([]);
    },
  );

  test('two at the same time make it once', async () => {
    const declared = [{ topic: 'raced', subscriptions: ['racer'] }];
    await Promise.all([provisioning.provision(declared), world.bus().provisioning(settings).provision(declared)]);
    expect(await provisioning.check(declared)).toEqual([]);
  });
});
