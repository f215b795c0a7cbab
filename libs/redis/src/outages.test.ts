import {
  skippedWithout,
  startRedis,
  startRedisCluster,
  type RunningPart,
  type RunningRedisCluster,
} from '@meterflow/emulators';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RedisStore } from './open-redis.ts';
import { age, listen, onEach, openStore, type Told } from './testing/redis-rig.ts';

const keys = Array.from({ length: 32 }, (_, index) => `stage.bulk/1/tenant/${index.toString(16).padStart(32, '0')}`);
const a = { owner: 'a', leaseMs: 2_000 };
const b = { owner: 'b', leaseMs: 2_000 };
const callMsMax = 200;

let told: Told;
let store: RedisStore;

async function claims(lease = a): Promise<string[]> {
  return (await store.deduper.claim(keys, lease)).map(({ state }) => state);
}

/** Until calls go through again, which they do by themselves. */
async function recovered(call: () => Promise<unknown> = claims): Promise<void> {
  await expect.poll(() => call(), { timeout: 20_000, interval: 20 }).toBeDefined();
}

beforeEach(() => {
  told = listen();
});

describe.skipIf(skippedWithout('redis'))('while Redis is [needs redis]', () => {
  let server: RunningPart;

  beforeEach(async () => {
    server = await startRedis();
    store = openStore([server], { telemetry: told.telemetry, callMsMax });
    await claims();
  });

  afterEach(async () => {
    await store.close();
    await server.kill();
  });

  test('down, calls fail at once, are told and counted; when it is back, empty, it is used again', async () => {
    await server.kill();
    await expect(claims()).rejects.toThrow();
    const fromMs = performance.now();
    const results = await Promise.allSettled(Array.from({ length: 1_000 }, () => claims()));
    expect(results.every(({ status }) => status === 'rejected')).toBe(true);
    expect(performance.now() - fromMs).toBeLessThan(1_000);
    expect(told.counts.get('dedupe_outages_now')).toBe(1);
    expect(told.counts.get('dedupe_calls_failed_total unreachable')).toBeGreaterThan(0);
    expect(told.counts.get('dedupe_calls_skipped_total')).toBeGreaterThan(900);

    server = await startRedis({ port: server.port });
    await recovered();
    expect(told.counts.get('dedupe_outages_now')).toBe(0);
    expect(told.lines).toEqual(['Redis does not answer; the pipeline goes on without it', 'Redis answers again']);
  });

  test('stuck, a group waits once for it, not every group; what it was sent late marks nothing done', async () => {
    process.kill(server.pid, 'SIGSTOP');
    const fromMs = performance.now();
    for (let group = 0; group < 20; group++) {
      await expect(claims()).rejects.toThrow();
    }
    const waitedMs = performance.now() - fromMs;
    expect(waitedMs).toBeLessThan(4 * callMsMax);
    expect(told.counts.get('dedupe_calls_failed_total timeout')).toBeGreaterThan(0);
    process.kill(server.pid, 'SIGCONT');
    await recovered();
    expect((await claims()).every((state) => state === 'claimed')).toBe(true);
  });

  test('full, calls fail as such, and go through again when there is room', async () => {
    await onEach([server], async (node) => {
      await node.config('SET', 'maxmemory', '1');
    });
    await expect(claims()).rejects.toThrow('OOM');
    expect(told.counts.get('dedupe_calls_failed_total full')).toBe(1);
    await onEach([server], async (node) => {
      await node.config('SET', 'maxmemory', '0');
    });
    await recovered();
  });

  test('away, nobody who lives on is taken for dead: deaths count only when all could renew their leases', async () => {
    await store.deduper.markHandling(keys, 'a', true);
    await onEach([server], async (node) => {
      await node.config('SET', 'maxmemory', '1');
    });
    await expect(claims()).rejects.toThrow('OOM');
    await onEach([server], async (node) => {
      await node.config('SET', 'maxmemory', '0');
    });
    await age([server], a.leaseMs);
    await recovered(() => store.deduper.renew(['other'], b));
    const claim = (await store.deduper.claim(keys.slice(0, 1), b))[0];
    expect(claim).toEqual({ state: 'claimed', ownerDied: true, deaths: 0 });
  });
});

test.skipIf(skippedWithout('redis'))(
  'a store opens while Redis is down, and finds it later [needs redis]',
  async () => {
    const gone = await startRedis();
    await gone.kill();
    store = openStore([gone], { telemetry: told.telemetry, callMsMax });
    await expect(claims()).rejects.toThrow();
    const server = await startRedis({ port: gone.port });
    await recovered();
    await store.close();
    await server.kill();
  },
);

test.skipIf(skippedWithout('redis'))('no secret of a URL is ever told [needs redis]', async () => {
  const server = await startRedis({ args: ['--requirepass', 's3cret-word'] });
  const open = (password: string): RedisStore =>
    openStore([{ ...server, address: `x:${password}@${server.address}` }], { telemetry: told.telemetry });
  store = open('s3cret-wrong');
  await expect(claims()).rejects.toThrow();
  expect(told.lines.join()).not.toContain('s3cret');
  await store.close();
  await server.kill();
});

describe.skipIf(skippedWithout('redis'))('one node of a cluster down [needs redis]', () => {
  let cluster: RunningRedisCluster;

  afterEach(async () => {
    await store.close();
    await cluster.kill();
  });

  test('costs the memory of its own keys; the others are known as ever', async () => {
    cluster = await startRedisCluster();
    await onEach(cluster.nodes, async (node) => {
      await node.config('SET', 'cluster-require-full-coverage', 'no');
    });
    store = openStore(cluster.nodes, { telemetry: told.telemetry, callMsMax });
    await claims();
    await store.deduper.done(keys, { owner: 'a', doneTtlMs: 60_000 });
    expect(new Set(await claims(b))).toEqual(new Set(['done']));
    await cluster.nodes[1]?.kill();
    const states = await claims(b);
    expect(new Set(states)).toEqual(new Set(['done', 'claimed']));
    expect(told.counts.get('dedupe_outages_now')).toBeGreaterThan(0);
  });
});
