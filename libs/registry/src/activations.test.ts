import { defaultFlow, type Flow } from '@meterflow/rules';
import { describe, expect, test } from 'vitest';
import { Activations, initialActivation } from './activations.ts';
import { instantMsMax } from './instants.ts';
import { restoreActivation } from './restore-activation.ts';
import { MemoryRegistry } from './testing/index.ts';

const flow: Flow = {
  name: 'main',
  onFailure: 'reject',
  steps: [
    {
      rule: { id: 'a'.repeat(64), name: 'scale', contract: 1, source: 'export default {}' },
      parameters: { factor: 1000, label: 'x', on: true },
      channels: '*',
    },
  ],
};
const request = { flow, fromMs: -instantMsMax, toMs: instantMsMax, decimals: 6 };

function setUp() {
  const registry = new MemoryRegistry();
  const clock = { nowMs: 0 };
  const open = () => new Activations({ registry, nowMs: () => clock.nowMs, activationLeaseMs: 1_000 });
  return { registry, clock, open, activations: open() };
}

describe('activations', () => {
  test('begin with the default flow', async () => {
    const { activations } = setUp();
    expect(await activations.newest('acme')).toEqual(initialActivation('acme'));
    expect((await activations.newest('acme')).flow).toEqual(defaultFlow);
    expect(await activations.get('acme', 0)).toEqual(initialActivation('acme'));
  });

  test('are numbered from 1 for each tenant and come back as they were made', async () => {
    const { activations, open } = setUp();
    const first = await activations.create('acme', request);
    const second = await activations.create('acme', { ...request, decimals: 2 });
    const foreign = await activations.create('other', request);
    expect([first.number, second.number, foreign.number]).toEqual([1, 2, 1]);
    expect(await open().newest('acme')).toEqual(second);
    expect(await open().get('acme', 1)).toEqual(first);
    expect(await open().get('acme', 3)).toBeUndefined();
    expect((await open().list('acme', { limit: 10 })).map(({ number }) => number)).toEqual([2, 1]);
    expect((await open().list('acme', { limit: 10, before: 2 })).map(({ number }) => number)).toEqual([1]);
  });

  test('made at once by several get numbers of their own', async () => {
    const { open } = setUp();
    const made = await Promise.all(Array.from({ length: 6 }, () => open().create('acme', request)));
    expect(made.map(({ number }) => number).sort()).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test('changed at once by several lose none: each decides upon what the one before made', async () => {
    const { open } = setUp();
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    const made = await Promise.all(
      names.map((name) =>
        open().change('acme', ({ flow: before, number }) => ({
          ...request,
          flow: { ...before, name: number === 0 ? name : `${before.name}${name}` },
        })),
      ),
    );
    const newest = await open().readNewest('acme');
    expect(made.map(({ number }) => number).sort()).toEqual([1, 2, 3, 4, 5, 6]);
    expect(newest.flow.name).toHaveLength(names.length);
    names.forEach((name) => {
      expect(newest.flow.name).toContain(name);
    });
  });

  test('gone back on while others are made: what was made meanwhile is taken back too', async () => {
    const { open } = setUp();
    for (const decimals of [1, 2]) {
      await open().create('acme', { ...request, decimals });
    }
    const [made] = await Promise.all([
      restoreActivation(open(), 'acme', { number: 1 }),
      open().create('acme', { ...request, decimals: 3, fromMs: 7 }),
      restoreActivation(open(), 'acme', { number: 1 }),
    ]);
    expect(made).toHaveLength(1);
    const all = await open().list('acme', { limit: 10 });
    expect(all.map(({ number }) => number)).toEqual([5, 4, 3, 2, 1]);
    const counting = (at: number) => open().counting('acme', 5, { fromMs: at, toMs: at + 1 });
    const restoredLast = all[0]?.decimals === 1;
    expect((await counting(0))[0]?.decimals).toBe(1);
    expect((await counting(8))[0]?.decimals).toBe(restoredLast ? 1 : 3);
  });

  test('count where no later ones hide them, one or several together', async () => {
    const { activations } = setUp();
    const spans = [
      [0, 100],
      [20, 40],
      [40, 80],
      [0, 60],
      [60, 70],
      [70, 100],
    ] as const;
    for (const [fromMs, toMs] of spans) {
      await activations.create('acme', { ...request, fromMs, toMs });
    }
    const counting = async (number: number, fromMs: number, toMs: number): Promise<readonly number[]> =>
      (await activations.counting('acme', number, { fromMs, toMs })).map((each) => each.number);
    expect(await counting(6, 0, 100)).toEqual([6, 5, 4]);
    expect(await counting(5, 0, 100)).toEqual([5, 4, 3, 1]);
    expect(await counting(3, 20, 80)).toEqual([3, 2]);
    expect(await counting(6, -1, 100)).toEqual([6, 5, 4, 0]);
    // Gone back on, what is hidden is not made anew.
    await activations.create('acme', { ...request, fromMs: 0, toMs: 100 });
    expect(await restoreActivation(activations, 'acme')).toHaveLength(3);
    expect(await counting(10, 0, 100)).toEqual([10, 9, 8]);
  });

  test('for a share of the meters come back with it', async () => {
    const { activations, open } = setUp();
    const steps = flow.steps.map((step) => ({ ...step, share: { from: 0, to: 0.1 } }));
    const made = await activations.create('acme', { ...request, flow: { ...flow, steps } });
    expect(await open().newest('acme')).toEqual(made);
    expect(made.flow.steps[0]?.share).toEqual({ from: 0, to: 0.1 });
    const wild = flow.steps.map((step) => ({ ...step, share: { from: 0, to: 2 } }));
    await expect(activations.create('acme', { ...request, flow: { ...flow, steps: wild } })).rejects.toThrow();
  });

  test('are ordered by number beyond nine', async () => {
    const { activations } = setUp();
    for (let count = 0; count < 11; count++) {
      await activations.create('acme', request);
    }
    expect((await activations.readNewest('acme')).number).toBe(11);
  });

  test('are known for no longer than the lease, counted from before the read', async () => {
    const { activations, open, clock, registry } = setUp();
    await activations.newest('acme');
    await open().create('acme', request);
    const reads = registry.reads;
    clock.nowMs = 999;
    expect((await activations.newest('acme')).number).toBe(0);
    expect(registry.reads).toBe(reads);
    expect((await activations.readNewest('acme')).number).toBe(1);
    clock.nowMs = 1_000;
    expect((await activations.newest('acme')).number).toBe(1);
  });

  test('a failed read is not remembered', async () => {
    const { activations, registry } = setUp();
    const list = registry.list.bind(registry);
    registry.list = () => Promise.reject(new Error('down'));
    await expect(activations.newest('acme')).rejects.toThrow('down');
    registry.list = list;
    expect((await activations.newest('acme')).number).toBe(0);
  });

  test('count for a span highest first, down to the one that spans it all', async () => {
    const { activations } = setUp();
    await activations.create('acme', request);
    await activations.create('acme', { ...request, fromMs: 0, toMs: 100 });
    await activations.create('acme', { ...request, fromMs: 500, toMs: 600 });
    await activations.create('acme', { ...request, fromMs: 50, toMs: 60 });
    const counting = async (number: number, fromMs: number, toMs: number) =>
      (await activations.counting('acme', number, { fromMs, toMs })).map((activation) => activation.number);
    expect(await counting(4, 40, 120)).toEqual([4, 2, 1]);
    expect(await counting(4, 50, 60)).toEqual([4]);
    expect(await counting(3, 50, 60)).toEqual([2]);
    expect(await counting(4, 60, 100)).toEqual([2]);
    expect(await counting(1, 0, 1)).toEqual([1]);
    expect(await counting(0, 0, 1)).toEqual([0]);
  });

  test('that say nonsense are refused', async () => {
    const { activations } = setUp();
    await expect(activations.create('acme', { ...request, toMs: Infinity })).rejects.toThrow();
    await expect(activations.create('acme', { ...request, decimals: 10 })).rejects.toThrow();
    expect((await activations.readNewest('acme')).number).toBe(0);
  });
});
