import { Readable } from 'node:stream';
import { Problem, type AdmittedRequest, type Route } from '@meterflow/http';
import {
  Activations,
  DueRecomputes,
  GroupRegistry,
  Groups,
  RegisterCalendars,
  Reprocesses,
  SeriesRegistry,
  seriesSettingsMsMax,
  type TouchedSeries,
} from '@meterflow/registry';
import { MemoryRegistry } from '@meterflow/registry/memory';
import { expect, test } from 'vitest';
import type { ControlPorts } from './ports.ts';
import { recomputeLeft } from './recompute-due.ts';
import { calendarRoutes } from './routes/calendars.ts';
import { groupRoutes } from './routes/groups.ts';
import { registryFileRoutes } from './routes/registry-files.ts';
import { seriesRoutes } from './routes/series-settings.ts';

const tenant = 'acme';

/** The API of a tenant over a registry; a process of it may die while it waits until everybody knows of a change. */
function world() {
  const registry = new MemoryRegistry();
  let now = 0;
  let ids = 0;
  const nowMs = (): number => ++now;
  const own = { registry, nowMs, cacheMs: -1 };
  const series = new SeriesRegistry(own);
  const state = { dies: false, computed: [] as string[] };
  const computed = async (touched: AsyncIterable<TouchedSeries> | Iterable<TouchedSeries>): Promise<object> => {
    for await (const each of touched) {
      state.computed.push(each.series.meter);
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
    sleep: (ms: number) => {
      expect(ms).toBeGreaterThan(seriesSettingsMsMax);
      return state.dies ? Promise.reject(new Error('killed')) : Promise.resolve();
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
  return { ports, state, call, taken };
}

const importing = (file: string) => ({ query: { allOrNothing: 'false' }, bytes: Readable.from([Buffer.from(file)]) });
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

test.each(stories)('what hangs on $of is computed anew though who made the change dies', async (story) => {
  const { ports, state, call, taken } = world();
  for (const [operation, request] of story.before ?? []) {
    await call(operation, request);
  }
  taken();
  state.dies = true;
  await call(...story.change).catch(() => undefined);
  expect(taken()).toEqual([]);
  state.dies = false;
  await recomputeLeft(ports, 'all');
  expect(taken()).toEqual(story.computed);
  await recomputeLeft(ports, 'all');
  expect(taken()).toEqual([]);
});

test.each(stories)('nothing is left of $of that was told', async (story) => {
  const { ports, call } = world();
  for (const [operation, request] of [...(story.before ?? []), story.change]) {
    await call(operation, request);
  }
  expect(await ports.dueRecomputes.list('all')).toEqual([]);
});

test('nothing is left of what is refused', async () => {
  const { ports, call } = world();
  const refused = call('putGroup', {
    params: { name: 'a' },
    body: { ...basics, source: { kind: 'children', children: [{ group: 'b' }] } },
  });
  await expect(refused).rejects.toThrow(Problem);
  await expect(call('removeCalendar', { params: { name: 'gas' } })).rejects.toThrow(Problem);
  expect(await ports.dueRecomputes.list('all')).toEqual([]);
});

test('a group whose removal was cut off is removed once more, and what was in it is computed anew', async () => {
  const { call, state, taken } = world();
  await call('importRegistry', importing('meter,grid_area\nm1,1\nm2,2\n'));
  await call('putGroup', area('grid_area = 1'));
  taken();
  state.dies = true;
  await expect(call('removeGroup', { params: { name: 'area' }, query: { revision: 1 } })).rejects.toThrow('killed');
  state.dies = false;
  expect(await call('removeGroup', { params: { name: 'area' }, query: { revision: 1 } })).toEqual({ status: 204 });
  expect(taken()).toEqual(['m1']);
  await expect(call('removeGroup', { params: { name: 'never' } })).rejects.toThrow('there is no group');
});

test('one that can not be told keeps no other from being', async () => {
  const { ports, taken } = world();
  await ports.dueRecomputes.note({ tenant, scope: { of: 'group', name: 'a' } });
  await ports.dueRecomputes.note({ tenant, scope: { of: 'tenant' } });
  const groupsNow = { snapshot: () => Promise.reject(new Error('down')) };
  await expect(recomputeLeft({ ...ports, groupsNow }, 'all')).rejects.toThrow('1 of 2');
  expect(taken()).toEqual(['all']);
  expect(await ports.dueRecomputes.list('all')).toHaveLength(1);
});
