import { skippedWithout, startRedis, startRedisCluster, type RunningPart } from '@meterflow/emulators';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RedisStore } from './open-redis.ts';
import { age, openStore } from './testing/redis-rig.ts';

describe.skipIf(skippedWithout('redis')).each([
  ['one server', 1],
  ['a cluster', 3],
])('the ages that processes tell each other over %s [needs redis]', (_, nodeCount) => {
  let nodes: readonly RunningPart[];
  let stores: readonly RedisStore[];

  beforeAll(async () => {
    nodes = nodeCount === 1 ? [await startRedis()] : (await startRedisCluster()).nodes;
    stores = [openStore(nodes), openStore(nodes)];
  });

  afterAll(async () => {
    await Promise.all(stores.map((store) => store.close()));
    await Promise.all(nodes.map((node) => node.stop()));
  });

  test('are those of the oldest message, whoever has it; of one that nobody tells any more nothing is left', async () => {
    const [one, other] = stores.map(({ ages }) => ages) as [RedisStore['ages'], RedisStore['ages']];
    expect(await one.oldestPublishedAtMs('stage.live')).toBeUndefined();
    await one.tell('stage.live', 1_763_700_000_000);
    await other.tell('stage.live', 1_763_700_009_000);
    await other.tell('stage.bulk', 1_763_700_001_000);
    expect(await other.oldestPublishedAtMs('stage.live')).toBe(1_763_700_000_000);
    expect(await one.oldestPublishedAtMs('stage.bulk')).toBe(1_763_700_001_000);
    await age(nodes, 5_000);
    await other.tell('stage.live', 1_763_700_009_500);
    expect(await one.oldestPublishedAtMs('stage.live')).toBe(1_763_700_009_500);
    expect(await one.oldestPublishedAtMs('stage.bulk')).toBeUndefined();
  });
});
