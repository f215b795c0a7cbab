import { decodeStoredNotice } from '@meterflow/contracts';
import { Activations, Reprocesses } from '@meterflow/registry';
import { MemoryRegistry } from '@meterflow/registry/testing';
import { flowOf } from '@meterflow/rules';
import type { OutgoingMessage } from '@meterflow/stage';
import { describe, expect, test } from 'vitest';
import { ReprocessDriver, reprocessLeaseMs } from './reprocess-driver.ts';
import type { StoredRaw } from './told-days.ts';

const dayMs = 86_400_000;
const series = Array.from({ length: 5 }, (_, index) => ({ meter: `M${index}`, channel: 'import' }));
/** Each has days 100 to 290, and one at 400. */
const stored: StoredRaw = {
  series: (tenant) => (tenant === 'acme' ? series : []),
  spans: () => [
    { fromDay: 100, toDay: 290 },
    { fromDay: 400, toDay: 401 },
  ],
};
const request = { flow: flowOf('x', []), toMs: 8e15, decimals: 6 };

class KilledError extends Error {}

/** A registry and a bus that outlive the processes, of which each may end at its n-th write. */
function setUp() {
  const registry = new MemoryRegistry();
  const clock = { ms: 1_000_000 };
  const nowMs = (): number => clock.ms;
  const told: { readonly key: string; readonly days: string[] }[] = [];
  const reprocesses = new Reprocesses({ registry, nowMs });
  const activations = new Activations({ registry, nowMs, activationLeaseMs: 0 });
  const process = (owner: string, options: { readonly endsAt?: number; readonly waiting?: () => number } = {}) => {
    let writes = 0;
    const step = (): void => {
      if (++writes === options.endsAt) {
        throw new KilledError('killed');
      }
    };
    const own = Object.assign(Object.create(registry) as MemoryRegistry, {
      put: (...args: Parameters<MemoryRegistry['put']>) => (step(), registry.put(...args)),
      remove: (...args: Parameters<MemoryRegistry['remove']>) => (step(), registry.remove(...args)),
      get: registry.get.bind(registry),
      list: registry.list.bind(registry),
    });
    const driver = new ReprocessDriver({
      reprocesses: new Reprocesses({ registry: own, nowMs }),
      ...{ activations, stored, lane: 'bulk', owner, activationLeaseMs: 5_000 },
      tenants: { list: () => Promise.resolve([tenant('acme'), tenant('other')]) },
      publisher: {
        publish: async (messages) => {
          step();
          await Promise.resolve();
          told.push(...messages.map(daysOf));
        },
      },
      waiting: () => Promise.resolve(options.waiting?.() ?? 0),
      clock: { nowMs, sleep: () => Promise.resolve() },
      onProblem: () => undefined,
    });
    return { look: () => driver.look(new AbortController().signal) };
  };
  return { clock, told, reprocesses, activations, process };
}

function tenant(name: string) {
  const quotas = { readingsPerDay: 1, bytesPerRequest: 1, requestsPerMinute: 1 };
  return { name, createdAtMs: 0, quotas, queryableWithinMs: 1, unknownSeries: 'create' as const };
}

function daysOf({ payload, topic }: OutgoingMessage): { key: string; days: string[] } {
  expect(topic).toBe('readings.stored.raw.bulk');
  const { key, layer, activation, touched } = decodeStoredNotice(payload);
  expect([layer, activation]).toEqual(['raw', 0]);
  const days = [...touched.index].flatMap((name, row) => {
    const [fromMs, toMs] = [touched.fromMs[row] as number, touched.toMs[row] as number];
    const count = Math.ceil(toMs / dayMs) - Math.floor(fromMs / dayMs);
    return Array.from(
      { length: count },
      (_, day) => `${touched.series[name]?.meter} ${Math.floor(fromMs / dayMs) + day}`,
    );
  });
  return { key, days };
}

/** The days from the 200th on. */
const all = series
  .flatMap(({ meter }) => [...Array.from({ length: 90 }, (_, day) => `${meter} ${200 + day}`), `${meter} 400`])
  .sort();
const distinct = (told: readonly { readonly days: readonly string[] }[]): string[] =>
  [...new Set(told.flatMap(({ days }) => days))].sort();

describe('a reprocess', () => {
  test('is started by every activation, once nothing is stamped with an older one any more', async () => {
    const { clock, told, reprocesses, activations, process } = setUp();
    await activations.create('acme', { ...request, fromMs: 200 * dayMs });
    const { look } = process('a');
    clock.ms += 4_999;
    await look();
    expect(told).toEqual([]);
    expect(await reprocesses.list('acme', 10)).toMatchObject([{ state: 'waiting', why: 'activation 1' }]);
    clock.ms += 1;
    await look();
    await look();
    expect(distinct(told)).toEqual(all);
    expect(told.flatMap(({ days }) => days)).toHaveLength(all.length);
    expect(await reprocesses.list('acme', 10)).toMatchObject([
      { state: 'done', seriesTotal: 5, seriesDone: 5, days: 455, endedAtMs: clock.ms },
    ]);
    expect(await reprocesses.open()).toEqual([]);
    await look();
    expect(await reprocesses.list('acme', 10)).toHaveLength(1);
    expect(await reprocesses.list('other', 10)).toEqual([]);
  });

  test('of several activations at once is one, of all that they span, to the millisecond', async () => {
    const { clock, told, activations, process } = setUp();
    await activations.create('acme', { ...request, fromMs: 401 * dayMs, toMs: 8e15 });
    await activations.create('acme', { ...request, fromMs: 250 * dayMs + 1, toMs: 251 * dayMs });
    clock.ms += 5_000;
    await process('a').look();
    expect(distinct(told)).toEqual(all.filter((day) => Number(day.split(' ')[1]) >= 250));
  });

  test('killed at any write goes on with another process, and tells all; what is told twice has one key', async () => {
    const calm = await run(undefined);
    expect(distinct(calm.told)).toEqual(all);
    for (let endsAt = 1; endsAt <= calm.told.length * 2 + 8; endsAt++) {
      const { told, left } = await run(endsAt);
      expect(distinct(told)).toEqual(all);
      expect(new Set(told.map(({ key }) => key))).toEqual(new Set(calm.told.map(({ key }) => key)));
      expect(left).toEqual([]);
    }
  });

  async function run(endsAt: number | undefined) {
    const { clock, told, reprocesses, activations, process } = setUp();
    await activations.create('acme', { ...request, fromMs: 200 * dayMs });
    clock.ms += 5_000;
    const first = process('a', endsAt === undefined ? {} : { endsAt });
    for (let looks = 0; looks < 3; looks++) {
      await first.look().catch((error: unknown) => {
        expect(error).toBeInstanceOf(KilledError);
      });
    }
    clock.ms += reprocessLeaseMs;
    const second = process('b');
    for (let looks = 0; looks < 4; looks++) {
      await second.look();
    }
    return { told, left: await reprocesses.open() };
  }

  test('that two processes drive tells every day, and ends once', async () => {
    const { clock, told, reprocesses, activations, process } = setUp();
    await activations.create('acme', { ...request, fromMs: 200 * dayMs });
    clock.ms += 5_000;
    const [a, b] = [process('a'), process('b')];
    for (let looks = 0; looks < 4; looks++) {
      await Promise.all([a.look(), b.look()]);
    }
    expect(distinct(told)).toEqual(all);
    expect(told.flatMap(({ days }) => days)).toHaveLength(all.length);
    expect(await reprocesses.list('acme', 10)).toMatchObject([{ state: 'done' }]);
  });

  test('that is cancelled tells no more, and is not begun again', async () => {
    const { told, reprocesses, process } = setUp();
    const asked = { id: 'asked-1', fromMs: 0, toMs: 8e15, who: 'user-1', why: '', notBeforeMs: 0 };
    await reprocesses.add('acme', asked);
    const { look } = process('a', {
      waiting: () => {
        if (told.length === 1) {
          void reprocesses.cancel('acme', 'asked-1');
        }
        return 0;
      },
    });
    await look();
    expect(told.length).toBeLessThan(3);
    const count = told.length;
    await look();
    await look();
    expect(told).toHaveLength(count);
    expect(await reprocesses.get('acme', 'asked-1')).toMatchObject({ state: 'cancelled' });
    await expect(reprocesses.cancel('acme', 'asked-1')).rejects.toThrow('there is no reprocess asked-1');
  });

  test('of one series tells of no other', async () => {
    const { told, reprocesses, process } = setUp();
    const asked = { id: 'settings-1', fromMs: 0, toMs: 8e15, who: 'user-1', why: '', notBeforeMs: 0 };
    await reprocesses.add('acme', { ...asked, series: { meter: 'M3', channel: 'import' } });
    await process('a').look();
    expect(distinct(told)).toHaveLength(191);
    expect(distinct(told).every((day) => day.startsWith('M3 '))).toBe(true);
    expect(await reprocesses.get('acme', 'settings-1')).toMatchObject({ seriesTotal: 1, days: 191 });
  });

  test('waits while the stage has enough to do, and is done when that is', async () => {
    const { told, reprocesses, process } = setUp();
    await reprocesses.add('acme', { id: 'asked-1', fromMs: 0, toMs: 8e15, who: 'user-1', why: '', notBeforeMs: 0 });
    const waits = [100, 50, 3, 0, 2, 2, 2, 2, 2];
    const { look } = process('a', { waiting: () => waits.shift() ?? 0 });
    await look();
    expect(told.length).toBeGreaterThan(1);
    expect(await reprocesses.get('acme', 'asked-1')).toMatchObject({ state: 'working' });
    await look();
    expect(await reprocesses.get('acme', 'asked-1')).toMatchObject({ state: 'working' });
    waits.length = 0;
    await look();
    expect(await reprocesses.get('acme', 'asked-1')).toMatchObject({ state: 'done' });
  });
});
