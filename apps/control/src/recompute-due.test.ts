import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { Problem, type AdmittedRequest, type Route } from '@meterflow/http';
import {
  Activations,
  DueRecomputes,
  dueRenewMs,
  GroupRegistry,
  Groups,
  RegisterCalendars,
  Reprocesses,
  RevisionConflictError,
  SeriesRegistry,
  seriesSettingsMsMax,
  type TouchedSeries,
} from '@meterflow/registry';
import { MemoryRegistry } from '@meterflow/registry/memory';
import { expect, test } from 'vitest';
import type { ControlPorts } from './ports.ts';
import { recomputeLeft, watchLeft, type RecomputeLeftPorts } from './recompute-due.ts';
import { calendarRoutes } from './routes/calendars.ts';
import { groupRoutes } from './routes/groups.ts';
import { registryFileRoutes } from './routes/registry-files.ts';
import { seriesRoutes } from './routes/series-settings.ts';

const tenant = 'acme';

/**
 * When the process dies: as its change is durable, before others are told to read it; or while it waits until everybody has.
 * Or it lives, and can not tell, as others are always faster.
 */
type Death = 'untold' | 'overtaken' | 'waiting';

class MortalRegistry extends MemoryRegistry {
  dies: Death | undefined;

  override put(...[kind, name, change]: Parameters<MemoryRegistry['put']>): Promise<number> {
    if (this.dies === undefined || this.dies === 'waiting' || !name.endsWith('-changes')) {
      return super.put(kind, name, change);
    }
    return Promise.reject(this.dies === 'untold' ? new Error('killed') : new RevisionConflictError('overtaken'));
  }
}

/** The API of a tenant over a registry; a process of it may die after a change. */
function world() {
  const registry = new MortalRegistry();
  const clock = { nowMs: 0 };
  let ids = 0;
  const nowMs = (): number => ++clock.nowMs;
  const own = { registry, nowMs, cacheMs: -1 };
  const series = new SeriesRegistry(own);
  const state = { computed: [] as string[], tellingMs: 0 };
  const computed = async (touched: AsyncIterable<TouchedSeries> | Iterable<TouchedSeries>): Promise<object> => {
    for await (const each of touched) {
      state.computed.push(each.series.meter);
      clock.nowMs += state.tellingMs;
      await setImmediate();
    }
    return { series: 0, notices: 0 };
  };
  const activations = new Activations({ registry, nowMs, activationLeaseMs: 0 });
  const ports = {
    ...{ series, nowMs, activations, rules: { activations }, audited: { nameOf: () => Promise.resolve('anna') } },
    ...{
      calendars: new RegisterCalendars(own),
      groups: new GroupRegistry(registry),
      groupsNow: new Groups({ ...own, series }),
    },
    dueRecomputes: new DueRecomputes({ registry, nowMs, newId: () => `i${++ids}` }),
    reprocesses: new Reprocesses({ registry, nowMs }),
    ...{ tenants: { require: () => Promise.resolve({}) }, sources: { list: () => Promise.resolve([{}]) } },
    recomputes: {
      recompute: ({ series: one }: { readonly series?: TouchedSeries['series'] }) => {
        state.computed.push(one?.meter ?? 'all');
        return Promise.resolve({ series: 0, notices: 0 });
      },
      recomputeTouched: (_tenant: string, touched: AsyncIterable<TouchedSeries>) => computed(touched),
    },
    sleep: async (ms: number, signal: AbortSignal) => {
      for (const untilMs = clock.nowMs + ms; ms === dueRenewMs && clock.nowMs < untilMs && !signal.aborted;) {
        await setImmediate();
      }
      if (ms !== dueRenewMs) {
        expect(ms).toBeGreaterThan(seriesSettingsMsMax);
        clock.nowMs += ms;
        await (registry.dies === undefined ? undefined : Promise.reject(new Error('killed')));
      }
    },
  } as unknown as ControlPorts;
  const routes = [registryFileRoutes, groupRoutes, calendarRoutes, seriesRoutes].flatMap((of) => of(ports));
  const call = async (operationId: string, more: object): Promise<unknown> => {
    const route = routes.find((each) => each.operationId === operationId) as Route;
    const signal = new AbortController().signal;
    const request = { principal: { tenant }, query: {}, header: () => 'text/csv', signal, ...more };
    const answer = await route.handle(request as unknown as AdmittedRequest<unknown, unknown, unknown>);
    return 'stream' in answer ? Array.fromAsync(answer.stream as AsyncIterable<unknown>) : answer;
  };
  const taken = (): string[] => [...new Set(state.computed.splice(0))].sort();
  const recompute = async (signal?: AbortSignal): Promise<void> =>
    recomputeLeft(ports, await ports.dueRecomputes.list(), signal);
  return { registry, nowMs, ports, state, call, taken, recompute };
}

const importing = (file: string) => ({
  query: { allOrNothing: 'false' },
  /** Anew each time: it is read once. */
  get bytes() {
    return Readable.from([Buffer.from(file)]);
  },
});
const basics = { timeZone: 'UTC', intervalMs: 3_600_000, channel: 'import', quality: 'set' };
const area = (filter: string) => ({
  params: { name: 'area' },
  body: { ...basics, source: { kind: 'filter', filter } },
});

const stories: readonly {
  readonly of: string;
  readonly before?: readonly (readonly [string, object])[];
  readonly change: readonly [string, object];
  readonly computed: readonly string[];
}[] = [
  {
    of: 'a registry file',
    change: ['importRegistry', importing('meter,interval\nm1,1h\nm2,15m\n')],
    computed: ['m1', 'm2'],
  },
  {
    of: 'a group, of those that were in it and those that come to be',
    before: [
      ['importRegistry', importing('meter,grid_area\nm1,1\nm2,2\nm3,3\n')],
      ['putGroup', area('grid_area = 1')],
    ],
    change: ['putGroup', area('grid_area = 2')],
    computed: ['m1', 'm2'],
  },
  {
    of: 'the first group',
    before: [['importRegistry', importing('meter,grid_area\nm1,1\nm2,2\n')]],
    change: ['putGroup', area('grid_area = 1')],
    computed: ['m1'],
  },
  {
    of: 'a group that is removed',
    before: [
      ['importRegistry', importing('meter,grid_area\nm1,1\nm2,2\n')],
      ['putGroup', area('grid_area = 1')],
    ],
    change: ['removeGroup', { params: { name: 'area' } }],
    computed: ['m1'],
  },
  {
    of: 'a member',
    before: [['putGroup', { params: { name: 'house' }, body: { ...basics, source: { kind: 'members' } } }]],
    change: [
      'changeGroupMembers',
      { params: { name: 'house' }, body: { meter: 'm1', channel: 'import', member: true } },
    ],
    computed: ['m1'],
  },
  {
    of: 'a calendar',
    before: [
      ['putCalendar', { params: { name: 'gas' }, body: { dayStartsAt: '06:00' } }],
      ['changeSeriesSettings', { body: { meter: 'm1', channel: 'import', calendars: ['gas'] } }],
    ],
    change: ['removeCalendar', { params: { name: 'gas' } }],
    computed: ['m1'],
  },
  {
    of: 'settings of a series',
    change: ['changeSeriesSettings', { body: { meter: 'm1', channel: 'import', timeZone: 'Europe/Zurich' } }],
    computed: ['m1'],
  },
  { of: 'settings of all', change: ['changeSeriesDefaults', { body: { intervalMs: 900_000 } }], computed: ['all'] },
];

const deaths = stories.flatMap((story) =>
  (['untold', 'overtaken', 'waiting'] as const).map((dies) => ({ ...story, dies })),
);

test.each(deaths)('what hangs on $of is computed anew though who made the change is cut off $dies', async (story) => {
  const { registry, call, taken, recompute } = world();
  for (const [operation, request] of story.before ?? []) {
    await call(operation, request);
  }
  taken();
  registry.dies = story.dies;
  await call(...story.change).catch(() => undefined);
  expect(taken()).toEqual([]);
  registry.dies = undefined;
  await recompute();
  expect(taken()).toEqual(story.computed);
  await recompute();
  expect(taken()).toEqual([]);
});

test('what others hold of before is let go of by the time it is computed anew, though who made the change died untold', async () => {
  const { registry, nowMs, call, recompute, taken } = world();
  await call('importRegistry', importing('meter,interval,grid_area\nm1,1h,1\nm2,1h,2\n'));
  const cached = { registry, nowMs, cacheMs: seriesSettingsMsMax };
  const series = new SeriesRegistry(cached);
  const groups = new Groups({ ...cached, series });
  const seen = async () => {
    const m1 = { meter: 'm1', channel: 'import' };
    const [settings, lengths] = [await series.snapshotOf(tenant, [m1]), await series.lengths(tenant)];
    const memberships = await (await groups.snapshot(tenant)).membershipsOf([m1]);
    return {
      tags: settings.of('m1', 'import').tags,
      length: lengths.of('m1', 'import'),
      groups: memberships.flatMap((each) => each.map(({ group }) => group)),
    };
  };
  expect(await seen()).toEqual({ tags: { grid_area: 1 }, length: 3_600_000, groups: [] });
  taken();
  registry.dies = 'untold';
  await call('putGroup', area('grid_area = 7')).catch(() => undefined);
  await call('importRegistry', importing('meter,interval,grid_area\nm1,15m,7\n'));
  registry.dies = undefined;
  await recompute();
  expect(taken()).toEqual(['m1']);
  expect(await seen()).toEqual({ tags: { grid_area: 7 }, length: 900_000, groups: ['area'] });
});

test('what one works at for long no other takes', async () => {
  const { ports, state, recompute, taken } = world();
  const named = Array.from({ length: 40 }, (_, index) => ({ meter: `m${index}`, channel: 'import' }));
  await ports.dueRecomputes.note({ tenant, scope: { of: 'series', series: named } });
  state.tellingMs = dueRenewMs;
  const progress = { isDone: false };
  const work = recompute().finally(() => {
    progress.isDone = true;
  });
  const left: number[] = [];
  while (!progress.isDone) {
    await setImmediate();
    left.push(state.computed.length > 0 ? (await ports.dueRecomputes.left(0)).length : 0);
  }
  await work;
  expect(Math.max(...left)).toBe(0);
  expect(taken()).toHaveLength(40);
});

test('of two that find the same, one does it', async () => {
  const { ports, state } = world();
  await ports.dueRecomputes.note({ tenant, scope: { of: 'tenant' } });
  const left = await ports.dueRecomputes.list();
  await Promise.all([recomputeLeft(ports, left), recomputeLeft(ports, left)]);
  expect(state.computed).toEqual(['all']);
});

test('what is cut off as a process ends stays for the next one', async () => {
  const { ports, state, recompute, taken } = world();
  const named = ['m1', 'm2', 'm3'].map((meter) => ({ meter, channel: 'import' }));
  await ports.dueRecomputes.note({ tenant, scope: { of: 'series', series: named } });
  const ending = new AbortController();
  const work = recompute(ending.signal);
  while (state.computed.length === 0) {
    await setImmediate();
  }
  ending.abort();
  await work;
  expect(state.computed).toEqual(['m1']);
  await recompute();
  expect(taken()).toEqual(['m1', 'm2', 'm3']);
});

test('the watch ends with its signal, and nothing is at work then', async () => {
  const { ports, state } = world();
  await ports.dueRecomputes.note({ tenant, scope: { of: 'tenant' } });
  const ending = new AbortController();
  ending.abort();
  await watchLeft(ports, { signal: ending.signal, onProblem: () => expect.unreachable() });
  expect(state.computed).toEqual([]);
});

test('each of several series has a reprocess of its own where rules look at whole days', async () => {
  const { ports } = world();
  const named = ['m1', 'm2'].map((meter) => ({ meter, channel: 'import' }));
  await ports.dueRecomputes.note({ tenant, scope: { of: 'series', series: named }, rulesFor: 'anna' });
  const activations = { list: () => Promise.resolve([{ flow: { steps: [{ rule: { series: {} } }] } }]) };
  const left = await ports.dueRecomputes.list();
  await recomputeLeft({ ...ports, activations } as unknown as ControlPorts & RecomputeLeftPorts, left);
  const made = await ports.reprocesses.list(tenant, 10);
  expect(made.map(({ series }) => series?.meter).sort()).toEqual(['m1', 'm2']);
  expect(made.map(({ id }) => id)).toContain(`settings-${left[0]?.id ?? ''}`);
});

test.each(stories)('nothing is left of $of that was told', async (story) => {
  const { ports, call } = world();
  for (const [operation, request] of [...(story.before ?? []), story.change]) {
    await call(operation, request);
  }
  expect(await ports.dueRecomputes.list()).toEqual([]);
});

test('nothing is left of what is refused', async () => {
  const { ports, call } = world();
  const refused = call('putGroup', {
    params: { name: 'a' },
    body: { ...basics, source: { kind: 'children', children: [{ group: 'b' }] } },
  });
  await expect(refused).rejects.toThrow(Problem);
  await expect(call('removeCalendar', { params: { name: 'gas' } })).rejects.toThrow(Problem);
  expect(await ports.dueRecomputes.list()).toEqual([]);
});

test('a group whose removal was cut off is removed once more, and what was in it is computed anew', async () => {
  const { registry, call, taken } = world();
  await call('importRegistry', importing('meter,grid_area\nm1,1\nm2,2\n'));
  await call('putGroup', area('grid_area = 1'));
  taken();
  registry.dies = 'waiting';
  await expect(call('removeGroup', { params: { name: 'area' }, query: { revision: 1 } })).rejects.toThrow('killed');
  registry.dies = undefined;
  expect(await call('removeGroup', { params: { name: 'area' }, query: { revision: 1 } })).toEqual({ status: 204 });
  expect(taken()).toEqual(['m1']);
  await expect(call('removeGroup', { params: { name: 'never' } })).rejects.toThrow('there is no group');
});

test('one that can not be told keeps no other from being', async () => {
  const { ports, taken } = world();
  await ports.dueRecomputes.note({ tenant, scope: { of: 'group', name: 'a' } });
  await ports.dueRecomputes.note({ tenant, scope: { of: 'tenant' } });
  const groupsNow = { snapshot: () => Promise.reject(new Error('down')) };
  await expect(recomputeLeft({ ...ports, groupsNow }, await ports.dueRecomputes.list())).rejects.toThrow('1 of 2');
  expect(taken()).toEqual(['all']);
  expect(await ports.dueRecomputes.list()).toHaveLength(1);
});
