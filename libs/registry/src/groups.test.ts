import { describe, expect, test } from 'vitest';
import {
  GroupRefusedError,
  GroupRegistry,
  Groups,
  groupMeter,
  groupOfMeter,
  instantMsMax,
  RevisionConflictError,
  SeriesRegistry,
  UnknownGroupError,
  type GroupRequest,
  type GroupsSnapshot,
  type Member,
} from './index.ts';
import { MemoryRegistry } from './testing/index.ts';

const basics = { timeZone: 'Europe/Copenhagen', intervalMs: 3_600_000 } as const;
const m1 = { meter: 'm/1', channel: 'import' };
const m2 = { meter: 'm2', channel: 'import' };
const always = { fromMs: -instantMsMax, toMs: instantMsMax, factor: '1' };
const never = { fromMs: 0, toMs: 0, factor: '1' };

function setUp() {
  const registry = new MemoryRegistry();
  const clock = { nowMs: 0 };
  const ports = { registry, nowMs: () => clock.nowMs, cacheMs: 0 };
  const series = new SeriesRegistry(ports);
  const open = () => new Groups({ ...ports, series: new SeriesRegistry(ports) });
  const groups = new GroupRegistry(registry);
  const put = (request: Omit<GroupRequest, keyof typeof basics>) => groups.put('acme', { ...basics, ...request });
  const snapshot = () => open().snapshot('acme');
  return { series, groups, put, open, snapshot, clock };
}

async function membersOf(snapshot: GroupsSnapshot, group: string): Promise<Member[]> {
  const members: Member[] = [];
  for await (const member of snapshot.membersOf(group)) {
    members.push(member);
  }
  return members;
}

describe('members page by page', () => {
  /** What each page has, by meter or group. */
  async function pagesOf(snapshot: GroupsSnapshot, group: string): Promise<string[][]> {
    const pages: string[][] = [];
    let after: string | undefined;
    do {
      const { members, next } = await snapshot.membersPage(group, after);
      pages.push(members.map(({ of }) => ('meter' in of ? of.meter : of.group)));
      after = next;
    } while (after !== undefined);
    return pages;
  }

  test('are all of them, each once; of a filter a page looks at so many series, whoever it takes', async () => {
    const { series, put, snapshot } = setUp();
    const meters = Array.from({ length: 1_200 }, (_, index) => `m${String(index).padStart(4, '0')}`);
    await series.apply(
      'acme',
      meters.map((meter, index) => ({
        series: { meter, channel: 'import' },
        part: {},
        facts: { tags: { last: index >= 1_100 }, ...(index % 2 === 0 ? { groups: { even: true as const } } : {}) },
        validity: { fromMs: -instantMsMax },
      })),
    );
    await put({ name: 'last', source: { kind: 'filter', filter: 'last = true' } });
    await put({ name: 'even', source: { kind: 'members' } });
    await put({
      name: 'street',
      source: {
        kind: 'terms',
        terms: meters.slice(0, 700).map((meter) => ({ of: { meter, channel: 'import' }, factor: '1' })),
      },
    });
    const now = await snapshot();
    expect(await pagesOf(now, 'last')).toEqual([[], [], meters.slice(1_100)]);
    const even = meters.filter((_, index) => index % 2 === 0);
    expect(await pagesOf(now, 'even')).toEqual([even.slice(0, 500), even.slice(500)]);
    expect(await pagesOf(now, 'street')).toEqual([meters.slice(0, 500), meters.slice(500, 700)]);
    expect(await pagesOf(now, 'nowhere')).toEqual([[]]);
    expect((await membersOf(now, 'last')).length).toBe(100);
  });
});

describe('how many members a group expects', () => {
  const street = { name: 'street', source: { kind: 'filter', filter: 'street = 7' } } as const;

  test('stays as it was when the group was made, whatever else changes', async () => {
    const { put, groups } = setUp();
    await put({ ...street, membersExpected: 20 });
    const changed = await put({ ...street, source: { kind: 'members' } });
    expect(changed.definition.membersExpected).toBe(20);
    await expect(put({ ...street, membersExpected: 5_000 })).rejects.toThrow(GroupRefusedError);
    await groups.remove('acme', 'street');
    await expect(put({ ...street, membersExpected: 5_000 })).rejects.toThrow('was made for 20 members');
    expect((await put({ ...street, membersExpected: 20 })).definition).toMatchObject({ membersExpected: 20 });
  });

  test('cannot be said later of one that was made without', async () => {
    const { put } = setUp();
    expect((await put(street)).definition).not.toHaveProperty('membersExpected');
    await expect(put({ ...street, membersExpected: 20 })).rejects.toThrow('an unknown number of members');
  });
});

describe('a group by filter', () => {
  test('takes series of its channel while their tags are so', async () => {
    const { series, put, snapshot } = setUp();
    await put({ name: 'area', source: { kind: 'filter', filter: "grid_area = 804 and supplier = 'X'" } });
    await series.state('acme', m1, { facts: { tags: { grid_area: 804, supplier: 'X' } }, validity: { fromMs: 10 } });
    await series.state('acme', m1, { facts: { tags: { grid_area: 805 } }, validity: { fromMs: 30, toMs: 40 } });
    await series.set('acme', { meter: 'm/1', channel: 'export' }, { tags: { grid_area: 804, supplier: 'X' } });
    await series.set('acme', m2, { tags: { grid_area: 804, supplier: 'Y' } });
    const now = await snapshot();
    const spans = [
      { fromMs: 10, toMs: 30, factor: '1' },
      { fromMs: 40, toMs: instantMsMax, factor: '1' },
    ];
    expect(await now.membershipsOf([m1, m2])).toEqual([spans.map((span) => ({ group: 'area', ...span })), []]);
    expect(await membersOf(now, 'area')).toEqual(spans.map((span) => ({ of: m1, ...span })));
  });

  test('is left by who does not match any more, whether the tags changed or the filter', async () => {
    const { series, put, snapshot } = setUp();
    await put({ name: 'area', source: { kind: 'filter', filter: 'grid_area = 804' } });
    await series.set('acme', m1, { tags: { grid_area: 804 } });
    await series.set('acme', m2, { tags: { grid_area: 804 } });
    await series.set('acme', m1, { tags: { grid_area: 805 } });
    expect(await (await snapshot()).membershipsOf([m1, m2])).toEqual([
      [{ group: 'area', ...never }],
      [{ group: 'area', ...always }],
    ]);
    await put({ name: 'area', source: { kind: 'filter', filter: 'grid_area = 805' } });
    expect(await (await snapshot()).membershipsOf([m1, m2])).toEqual([
      [{ group: 'area', ...always }],
      [{ group: 'area', ...never }],
    ]);
  });

  test('that nothing is required of is asked of every series', async () => {
    const { put, snapshot } = setUp();
    await put({ name: 'rest', source: { kind: 'filter', filter: 'not supplier = X' } });
    await put({ name: 'both', source: { kind: 'filter', filter: 'channel in (import, export)' } });
    const found = await (await snapshot()).membershipsOf([m1, { meter: 'm', channel: 'export' }]);
    expect(found.map((each) => each.map(({ group }) => group).sort())).toEqual([['both', 'rest'], ['both']]);
  });
});

describe('a group of members', () => {
  test('has whoever was made one, while they are', async () => {
    const { series, put, snapshot } = setUp();
    await put({ name: 'house 1', source: { kind: 'members' } });
    await series.state('acme', m1, { facts: { groups: { 'house 1': true } }, validity: { fromMs: 5, toMs: 9 } });
    await series.state('acme', m2, { facts: { groups: { 'house 1': true, none: true } }, validity: { fromMs: 0 } });
    const now = await snapshot();
    expect(await membersOf(now, 'house 1')).toEqual([
      { of: m1, fromMs: 5, toMs: 9, factor: '1' },
      { of: m2, fromMs: 0, toMs: instantMsMax, factor: '1' },
    ]);
    expect(await now.membershipsOf([m2])).toEqual([[{ group: 'house 1', fromMs: 0, toMs: instantMsMax, factor: '1' }]]);
    await series.state('acme', m1, {
      facts: { groups: { 'house 1': null } },
      validity: { fromMs: -instantMsMax, toMs: instantMsMax },
    });
    expect(await (await snapshot()).membershipsOf([m1])).toEqual([[{ group: 'house 1', ...never }]]);
  });
});

describe('groups of groups', () => {
  test('are found from below, and say what left them', async () => {
    const { put, groups, snapshot } = setUp();
    await put({ name: 'a', source: { kind: 'members' } });
    await put({ name: 'b', source: { kind: 'members' } });
    await put({ name: 'street', source: { kind: 'children', children: [{ group: 'a', fromMs: 7 }, { group: 'b' }] } });
    const terms = [
      { of: { group: 'street' }, factor: '1' },
      { of: m1, factor: '-0.5' },
    ];
    await put({ name: 'losses', source: { kind: 'terms', terms } });
    const now = await snapshot();
    expect(now.parentsOf('a')).toEqual([{ group: 'street', fromMs: 7, toMs: instantMsMax, factor: '1' }]);
    expect(now.parentsOf('street')).toEqual([{ group: 'losses', ...always }]);
    expect(await now.membershipsOf([m1])).toEqual([[{ group: 'losses', ...always, factor: '-0.5' }]]);
    expect(await membersOf(now, 'losses')).toEqual(terms.map(({ of, factor }) => ({ of, ...always, factor })));
    await put({ name: 'street', source: { kind: 'children', children: [{ group: 'b' }] } });
    await groups.remove('acme', 'losses');
    const later = await snapshot();
    expect([later.parentsOf('a'), later.parentsOf('street')]).toEqual([
      [{ group: 'street', ...never }],
      [{ group: 'losses', ...never }],
    ]);
    expect(await later.membershipsOf([m1])).toEqual([[{ group: 'losses', ...never }]]);
    expect([...later.groups()].map(({ name }) => name)).toEqual(['a', 'b', 'street']);
    expect(later.group('losses')?.intervalMs).toBe(3_600_000);
    expect(later.version).toBeGreaterThan(now.version);
  });

  test('never count themselves, nor what is not there; what is counted stays', async () => {
    const { put, groups } = setUp();
    const children = (...names: string[]) => ({
      kind: 'children' as const,
      children: names.map((group) => ({ group })),
    });
    await put({ name: 'a', source: { kind: 'members' } });
    await put({ name: 'b', source: children('a') });
    await put({ name: 'c', source: children('b') });
    await expect(put({ name: 'a', source: children('a') })).rejects.toThrow('count itself');
    await expect(put({ name: 'a', source: children('c') })).rejects.toThrow('count itself');
    await expect(put({ name: 'd', source: children('e') })).rejects.toThrow('no group e');
    await expect(groups.remove('acme', 'a')).rejects.toThrow(GroupRefusedError);
    await expect(groups.remove('acme', 'none')).rejects.toThrow(UnknownGroupError);
  });

  test('have the days of what counts them, and slots that divide', async () => {
    const { put } = setUp();
    const of = (group: string): GroupRequest['source'] => ({ kind: 'children', children: [{ group }] });
    const groups = new GroupRegistry(new MemoryRegistry());
    const members = { kind: 'members' } as const;
    await groups.put('acme', { ...basics, name: 'child', source: members });
    const other = { ...basics, timeZone: 'Europe/Helsinki' };
    await expect(groups.put('acme', { ...other, name: 'parent', source: of('child') })).rejects.toThrow(
      'give both one',
    );
    const uneven = { ...basics, intervalMs: 2_700_000 };
    await expect(groups.put('acme', { ...uneven, name: 'parent', source: of('child') })).rejects.toThrow('must divide');
    await groups.put('acme', { ...basics, intervalMs: 900_000, name: 'parent', source: of('child') });
    // Nor may the child become another while it is counted.
    await expect(groups.put('acme', { ...other, name: 'child', source: members })).rejects.toThrow(GroupRefusedError);
    await groups.put('acme', { ...basics, name: 'parent', source: members });
    const moved = await groups.put('acme', { ...other, name: 'child', source: members });
    expect(moved.former.timeZones).toEqual(['Europe/Copenhagen']);
    await put({ name: 'alone', source: members });
  });

  test('that are new, or keep their days, are put without a look at all others', async () => {
    const registry = new MemoryRegistry();
    const groups = new GroupRegistry(registry);
    const put = (name: string) => groups.put('acme', { ...basics, name, source: { kind: 'members' } });
    let lists = 0;
    const list = registry.list.bind(registry);
    registry.list = (...asked) => {
      lists += 1;
      return list(...asked);
    };
    for (const name of ['a', 'b', 'a']) {
      await put(name);
    }
    expect(lists).toBe(0);
  });

  test('that is put in another zone while it begins to be counted stays as it was', async () => {
    const registry = new MemoryRegistry();
    const isCounted = Promise.withResolvers<undefined>();
    const late = new Proxy(registry, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target);
        const own = typeof value === 'function' ? (value.bind(target) as (...given: unknown[]) => unknown) : value;
        return name === 'put'
          ? (...given: unknown[]) => isCounted.promise.then(() => (own as (...given: unknown[]) => unknown)(...given))
          : own;
      },
    });
    const members = { kind: 'members' } as const;
    await new GroupRegistry(registry).put('acme', { ...basics, name: 'child', source: members });
    const moved = new GroupRegistry(late).put('acme', {
      ...{ ...basics, timeZone: 'Europe/Helsinki' },
      ...{ name: 'child', source: members },
    });
    const refused = expect(moved).rejects.toThrow(GroupRefusedError);
    await new Promise((wake) => setTimeout(wake, 20));
    const source = { kind: 'children', children: [{ group: 'child' }] } as const;
    await new GroupRegistry(registry).put('acme', {
      ...basics,
      name: 'parent',
      source: { ...source, children: [...source.children] },
    });
    isCounted.resolve(undefined);
    await refused;
    const child = await new GroupRegistry(registry).get('acme', 'child');
    expect(child?.definition.timeZone).toBe(basics.timeZone);
  });

  test('that two put at once to count each other: one at the most is there', async () => {
    const { groups, put, snapshot } = setUp();
    const of = (group: string): GroupRequest['source'] => ({ kind: 'children', children: [{ group }] });
    await put({ name: 'a', source: { kind: 'members' } });
    await put({ name: 'b', source: { kind: 'members' } });
    const both = await Promise.allSettled([put({ name: 'a', source: of('b') }), put({ name: 'b', source: of('a') })]);
    expect(both.filter(({ status }) => status === 'rejected').length).toBeGreaterThanOrEqual(1);
    const kinds = [await groups.get('acme', 'a'), await groups.get('acme', 'b')].map(
      (each) => each?.definition.source.kind,
    );
    expect(kinds.filter((kind) => kind === 'children').length).toBeLessThanOrEqual(1);
    expect((await snapshot()).formerTimeZonesOf('a')).toEqual([]);
  });

  test('are at most so many, one below the other', async () => {
    const { put } = setUp();
    await put({ name: 'g0', source: { kind: 'members' } });
    const deep = async () => {
      for (let depth = 1; depth < 40; depth++) {
        await put({ name: `g${depth}`, source: { kind: 'children', children: [{ group: `g${depth - 1}` }] } });
      }
    };
    await expect(deep()).rejects.toThrow('one below the other');
  });
});

describe('groups', () => {
  test('are replaced at the revision that is expected', async () => {
    const { groups } = setUp();
    const request = { ...basics, name: 'a', source: { kind: 'members' } } as const;
    const { revision } = await groups.put('acme', request, 0);
    await expect(groups.put('acme', request, 0)).rejects.toThrow(RevisionConflictError);
    await groups.put('acme', { ...request, channel: 'export' }, revision);
    await expect(groups.remove('acme', 'a', revision)).rejects.toThrow(RevisionConflictError);
    expect((await groups.list('acme', { limit: 9 })).map(({ definition }) => definition.channel)).toEqual(['export']);
    expect(await groups.list('other', { limit: 9 })).toEqual([]);
  });

  test.each([
    { name: '', source: { kind: 'members' as const } },
    { name: 'x'.repeat(58), source: { kind: 'members' as const } },
    { name: 'a', source: { kind: 'filter' as const, filter: 'a =' } },
    { name: 'a', source: { kind: 'terms' as const, terms: [{ of: m1, factor: '1e3' }] } },
    { name: 'a', intervalMs: 0, source: { kind: 'members' as const } },
  ])('that are none are refused: %j', async (request) => {
    const { groups } = setUp();
    await expect(groups.put('acme', { ...basics, ...request })).rejects.toThrow();
  });

  test('are listed page by page, and seen by others once the cache is old', async () => {
    const { put, groups, open, clock } = setUp();
    const reader = open();
    expect((await reader.snapshot('acme')).hasGroups).toBe(false);
    for (const name of ['b', 'a', 'c']) {
      await put({ name, source: { kind: 'members' } });
    }
    await groups.remove('acme', 'b');
    const names = async (page: { limit: number; after?: string }) =>
      (await groups.list('acme', page)).map(({ definition }) => definition.name);
    expect([await names({ limit: 2 }), await names({ limit: 2, after: 'a' })]).toEqual([['a', 'c'], ['c']]);
    clock.nowMs = 1;
    expect([...(await reader.snapshot('acme')).groups()].map(({ name }) => name)).toEqual(['a', 'c']);
  });

  test('remember every series that was ever below them, also once they are removed', async () => {
    const { series, put, groups, snapshot } = setUp();
    const [m3, m4] = [
      { meter: 'm3', channel: 'import' },
      { meter: 'm4', channel: 'import' },
    ];
    await series.state('acme', m1, { facts: { tags: { area: 1 } }, validity: { fromMs: 0 } });
    await series.state('acme', m2, { facts: { tags: { area: 2 } }, validity: { fromMs: 0 } });
    await put({ name: 'house', source: { kind: 'members' } });
    await series.state('acme', m3, { facts: { groups: { house: true } }, validity: { fromMs: 0, toMs: 9 } });
    await put({ name: 'area', source: { kind: 'filter', filter: 'area = 1' } });
    await put({ name: 'all', source: { kind: 'children', children: [{ group: 'area' }, { group: 'house' }] } });
    await put({ name: 'all', source: { kind: 'terms', terms: [{ of: m4, factor: '1' }] } });
    await groups.remove('acme', 'all');
    await groups.remove('acme', 'area');
    const ever = async (group: string) =>
      [...new Set((await Array.fromAsync((await snapshot()).everIn(group))).map(({ meter }) => meter))].sort();
    expect([await ever('all'), await ever('area'), await ever('house'), await ever('none')]).toEqual([
      ['m/1', 'm3', 'm4'],
      ['m/1'],
      ['m3'],
      [],
    ]);
    expect(await membersOf(await snapshot(), 'all')).toEqual([]);
  });

  test('that are removed already may be removed once more, at any revision', async () => {
    const { groups, put } = setUp();
    await put({ name: 'a', source: { kind: 'members' } });
    await groups.remove('acme', 'a', 1);
    expect((await groups.remove('acme', 'a', 1)).isRemoved).toBe(true);
    await expect(groups.remove('acme', 'b')).rejects.toThrow(UnknownGroupError);
  });

  test('have a meter of their own, which no source has', () => {
    expect(groupOfMeter(groupMeter('a b'))).toBe('a b');
    expect(groupOfMeter('m1')).toBeUndefined();
  });
});
