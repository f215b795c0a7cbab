import { skippedWithout, startRedis, startRedisCluster, type RunningPart } from '@meterflow/emulators';
import { describeDeduper } from '@meterflow/dedupe/testing';
import { systemClock } from '@meterflow/stage';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { age, onEach, openStore } from './testing/redis-rig.ts';

const starts = {
  'one server': async () => {
    const server = await startRedis();
    return { nodes: [server], stop: () => server.stop() };
  },
  'a cluster of three': startRedisCluster,
};

for (const [name, start] of Object.entries(starts)) {
  describe.skipIf(skippedWithout('redis'))(`${name} [needs redis]`, () => {
    let running: { readonly nodes: readonly RunningPart[]; stop(): Promise<void> };

    beforeAll(async () => {
      running = await start();
    }, 30_000);

    afterAll(() => running.stop());

    beforeEach(async () => {
      await onEach(running.nodes, (node) => node.flushall());
    });

    describeDeduper('RedisDeduper', () => {
      const store = openStore(running.nodes);
      return Promise.resolve({
        deduper: store.deduper,
        advance: (ms) => age(running.nodes, ms),
        close: () => store.close(),
      });
    });

    const keys = Array.from(
      { length: 32 },
      (_, index) => `stage.bulk/1/tenant/${index.toString(16).padStart(32, '0')}`,
    );
    const lease = { owner: 'a', leaseMs: 60_000 };

    test('a group of keys is claimed, marked and known again, in its order', async () => {
      const store = openStore(running.nodes);
      await store.deduper.claim(keys, lease);
      const odd = keys.filter((_, index) => index % 2 === 1);
      expect(await store.deduper.done(odd, { owner: 'a', doneTtlMs: 60_000 })).toEqual(odd.map(() => true));
      const claims = await store.deduper.claim(keys, { ...lease, owner: 'b' });
      expect(claims.map(({ state }) => state)).toEqual(keys.map((_, index) => (index % 2 === 1 ? 'done' : 'held')));
      expect(await store.deduper.renew(keys, lease)).toEqual(keys.map((_, index) => index % 2 === 0));
      await store.close();
    });

    test('a held key says how long, by the clock of whoever asks', async () => {
      const ahead = openStore(running.nodes, { clock: { ...systemClock, nowMs: () => 5 } });
      await ahead.deduper.claim(keys, lease);
      const [claim] = await ahead.deduper.claim(keys, { ...lease, owner: 'b' });
      expect(claim).toMatchObject({ state: 'held' });
      const expiresAtMs = claim?.state === 'held' ? claim.expiresAtMs : 0;
      expect(expiresAtMs).toBeGreaterThan(50_000);
      expect(expiresAtMs).toBeLessThanOrEqual(60_005);
      await ahead.close();
    });

    test('all that is kept expires', async () => {
      const store = openStore(running.nodes);
      await store.deduper.claim(keys, lease);
      await store.deduper.markHandling(keys.slice(0, 16), 'a', true);
      await store.deduper.done(keys.slice(8, 24), { owner: 'a', doneTtlMs: 60_000 });
      const lefts = await onEach(running.nodes, async (node) =>
        Promise.all((await node.keys('*')).map((key) => node.pttl(key))),
      );
      expect(lefts.flat()).toHaveLength(keys.length);
      expect(lefts.flat().filter((leftMs) => leftMs < 1)).toEqual([]);
      await store.close();
    });

    test('a server that lost the scripts is given them again', async () => {
      const store = openStore(running.nodes);
      await store.deduper.claim(keys, lease);
      await onEach(running.nodes, (node) => node.script('FLUSH'));
      expect(await store.deduper.renew(keys, lease)).toEqual(keys.map(() => true));
      await store.close();
    });

    test('a flushed server costs the marks, and nothing else', async () => {
      const store = openStore(running.nodes);
      await store.deduper.claim(keys, lease);
      await onEach(running.nodes, (node) => node.flushall());
      expect(await store.deduper.renew(keys, lease)).toEqual(keys.map(() => false));
      expect(await store.deduper.done(keys, { owner: 'a', doneTtlMs: 60_000 })).toEqual(keys.map(() => true));
      await store.close();
    });
  });
}
