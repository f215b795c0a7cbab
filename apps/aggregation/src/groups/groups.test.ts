import { dayMs, hourMs } from '@meterflow/aggregates';
import { groupSchema, type GroupDefinition, type GroupRequest } from '@meterflow/registry';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { always, GroupWorld, quarterMs } from '../testing/group-world.ts';
import type { SeriesZones } from '../series-zones.ts';
import { branchesMax, leafOf, parentOf } from './group-tree.ts';

const day = { fromMs: 0, toMs: dayMs };

function street(world: GroupWorld, ...meters: string[]): void {
  world.groups.put({ name: 'street', source: { kind: 'members' } });
  meters.forEach((meter) => {
    world.groups.setMember(meter, [{ ...always, group: 'street' }]);
  });
}

describe('a group', () => {
  test('has the sum of its members, by hour and day', async () => {
    const world = new GroupWorld();
    street(world, 'a', 'b');
    world.put('a', 0, { integer: 100 });
    world.put('b', 0, { integer: 11 });
    world.put('b', 2 * hourMs, { integer: 5 });
    world.put('c', 0, { integer: 7 });
    await world.settle();
    expect(world.sums('street')).toEqual(['0 0 0.111 2', '0 2 0.005 1', '0 day 0.116 3']);
  });

  test('is corrected with its members', async () => {
    const world = new GroupWorld();
    street(world, 'a', 'b');
    world.put('a', 0, { integer: 100 });
    world.put('b', 0, { integer: 11 });
    await world.settle();
    world.put('b', 0, { integer: 12 });
    await world.settle();
    expect(world.sums('street')).toEqual(['0 0 0.112 2', '0 day 0.112 2']);
  });

  test('counts a member while it belongs, to the quarter hour', async () => {
    const world = new GroupWorld();
    street(world, 'a');
    world.groups.setMember('a', [{ ...always, group: 'street', toMs: 2 * quarterMs }]);
    [0, 1, 2, 3].forEach((slot) => {
      world.put('a', slot * quarterMs, { integer: 10 ** slot });
    });
    await world.settle();
    expect(world.sums('street')).toEqual(['0 0 0.011 2', '0 day 0.011 2']);
  });

  test('forgets a member that never was one, where that was ordered', async () => {
    const world = new GroupWorld();
    street(world, 'a', 'b');
    world.put('a', 0, { integer: 100 });
    world.put('b', 0, { integer: 11 });
    await world.settle();
    world.groups.setMember('b', [{ group: 'street', fromMs: 0, toMs: 0, factor: '1' }]);
    world.order([{ meter: 'b', ...day }]);
    await world.settle();
    expect(world.sums('street')).toEqual(['0 0 0.1 1', '0 day 0.1 1']);
    world.groups.setMember('a', []);
    world.order([{ meter: 'a', ...day }]);
    await world.settle();
    // Nobody says any more that it ever was a member of this group.
    expect(world.sums('street')).toHaveLength(2);
  });

  test('counts nothing of a member that was erased, also of its only one, where that was ordered', async () => {
    const world = new GroupWorld();
    street(world, 'a', 'b');
    world.put('a', 0, { integer: 100 });
    world.put('b', 0, { integer: 11 });
    await world.settle();
    world.erase('b');
    world.order([{ meter: 'b', ...day }]);
    await world.settle();
    expect(world.sums('street')).toEqual(['0 0 0.1 1', '0 day 0.1 1']);
    world.erase('a');
    world.order([{ meter: 'a', ...day }]);
    await world.settle();
    expect(world.sums('street')).toEqual([]);
  });
});

describe('a reading that reaches over midnight', () => {
  const sixMs = 6 * hourMs;
  const gasDays = (world: GroupWorld): void => {
    world.groups.put({ name: 'street', intervalMs: sixMs, source: { kind: 'members' } });
    world.groups.setMember('a', [{ ...always, group: 'street' }]);
    world.put('a', sixMs, { integer: 4_000, lengthMs: dayMs });
  };
  const zonesOf = (timeZone: string, intervalMs = dayMs): SeriesZones => ({
    snapshotOf: () => Promise.resolve({ of: () => ({ timeZone, intervals: [{ fromMs: -8e15, intervalMs }] }) }),
  });

  test.each([
    ['of a registered length', { zones: zonesOf('UTC') }],
    ['of the usual length', {}],
  ])('gives the next day its part, %s', async (_, options) => {
    const world = new GroupWorld(options);
    gasDays(world);
    await world.settle();
    expect(world.sums('street')).toEqual(['0 day 3 3', '24 day 1 1']);
    world.put('a', sixMs + dayMs, { integer: 8_000, lengthMs: dayMs });
    await world.settle();
    expect(world.sums('street')).toEqual(['0 day 3 3', '24 day 7 4', '48 day 2 1']);
    world.put('a', sixMs, { integer: 400, lengthMs: dayMs });
    await world.settle();
    expect(world.sums('street')).toEqual(['0 day 0.3 3', '24 day 6.1 4', '48 day 2 1']);
  });

  test('leaves the next day what else it has, where days begin within those of UTC', async () => {
    const world = new GroupWorld({ zones: zonesOf('Asia/Kathmandu', hourMs) });
    world.groups.put({ name: 'street', timeZone: 'Asia/Kathmandu', source: { kind: 'members' } });
    world.groups.setMember('a', [{ ...always, group: 'street' }]);
    const [firstMs, hours] = [dayMs + 18 * hourMs, 60];
    for (let hour = 0; hour < hours; hour++) {
      world.put('a', firstMs + hour * hourMs, { integer: 1_000, lengthMs: hourMs });
    }
    await world.settle();
    const days = (): readonly string[] => world.sums('street').filter((line) => line.includes('day'));
    expect(days()).toEqual(['18.5 day 0.5 2', '42.5 day 24 96', '66.5 day 24 96', '90.5 day 11.5 46']);
    world.put('a', firstMs, { integer: 5_000, lengthMs: hourMs });
    await world.settle();
    expect(days()).toEqual(['18.5 day 2.5 2', '42.5 day 26 96', '66.5 day 24 96', '90.5 day 11.5 46']);
    for (const hour of [24, 25, 48, 59]) {
      world.put('a', firstMs + hour * hourMs, { integer: 1_000, lengthMs: hourMs });
      await world.settle();
      expect(days()).toEqual(['18.5 day 2.5 2', '42.5 day 26 96', '66.5 day 24 96', '90.5 day 11.5 46']);
    }
  });

  test('takes it from the next day as well, once it is erased', async () => {
    const world = new GroupWorld();
    gasDays(world);
    await world.settle();
    world.erase('a');
    world.order([{ meter: 'a', fromMs: sixMs, toMs: sixMs + 1 }]);
    await world.settle();
    expect(world.sums('street')).toEqual([]);
  });

  test('counts in a group that its meter leaves at midnight', async () => {
    const world = new GroupWorld();
    gasDays(world);
    world.groups.setMember('a', [{ ...always, group: 'street', toMs: dayMs }]);
    await world.settle();
    world.put('a', sixMs + dayMs, { integer: 8_000, lengthMs: dayMs });
    await world.settle();
    expect(world.sums('street')).toEqual(['0 day 3 3', '24 day 1 1']);
  });

  test('costs a reading that ends there nothing: the next day is neither read nor told of', async () => {
    const world = new GroupWorld();
    street(world, 'a');
    world.put('a', dayMs - hourMs, { integer: 4, lengthMs: hourMs });
    await world.settle();
    expect(world.sums('street')).toEqual(['0 23 0.004 4', '0 day 0.004 4']);
    expect(world.counts).toMatchObject({ cellWrites: 2 });
  });
});

describe('a tree of groups', () => {
  function grid(world: GroupWorld): void {
    for (const street of ['north', 'south']) {
      world.groups.put({ name: street, source: { kind: 'members' } });
    }
    const children = [{ group: 'north' }, { group: 'south' }];
    world.groups.put({ name: 'meters', source: { kind: 'children', children } });
    world.groups.put({ name: 'feeder', source: { kind: 'members' } });
    const terms = [
      { of: { group: 'feeder' }, factor: '1' },
      { of: { group: 'meters' }, factor: '-1' },
    ];
    world.groups.put({ name: 'losses', source: { kind: 'terms', terms } });
    for (const [meter, group] of [
      ['a', 'north'],
      ['b', 'north'],
      ['c', 'south'],
      ['f', 'feeder'],
    ] as const) {
      world.groups.setMember(meter, [{ ...always, group }]);
    }
  }

  test('sums its groups, and takes terms off', async () => {
    const world = new GroupWorld();
    grid(world);
    world.put('a', 0, { integer: 1 });
    world.put('b', quarterMs, { integer: 20 });
    world.put('c', 0, { integer: 300 });
    world.put('f', 0, { integer: 350 });
    await world.settle();
    expect(world.sums('north').at(-1)).toBe('0 day 0.021 2');
    expect(world.sums('meters').at(-1)).toBe('0 day 0.321 3');
    expect(world.sums('losses').at(-1)).toBe('0 day 0.029 4');
  });

  test('counts a group while it belongs', async () => {
    const world = new GroupWorld();
    grid(world);
    const children = [{ group: 'north', toMs: quarterMs }, { group: 'south' }];
    world.groups.put({ name: 'meters', source: { kind: 'children', children } });
    world.put('b', 0, { integer: 1 });
    world.put('b', quarterMs, { integer: 20 });
    world.put('c', quarterMs, { integer: 300 });
    await world.settle();
    expect(world.sums('meters').at(-1)).toBe('0 day 0.301 2');
  });

  test('withdraws the days of a zone that it had', async () => {
    const world = new GroupWorld();
    const source = { kind: 'members' } as const;
    world.groups.put({ name: 'street', source });
    world.groups.setMember('a', [{ ...always, group: 'street' }]);
    world.put('a', dayMs, { integer: 7 });
    await world.settle();
    expect(world.sums('street')).toEqual(['24 0 0.007 1', '24 day 0.007 1']);
    world.groups.put({ name: 'street', timeZone: 'Asia/Tokyo', source });
    world.order([{ meter: 'a', fromMs: dayMs, toMs: dayMs + quarterMs }]);
    await world.settle();
    // Midnight of Tokyo is 15:00 of UTC: its days stand where those of UTC do not, which are empty now.
    expect(world.sums('street')).toEqual(['15 9 0.007 1', '15 day 0.007 1']);
  });

  test('has the days and slots of each group on a day of 23 hours', async () => {
    const world = new GroupWorld();
    world.groups.put({ name: 'street', timeZone: 'Europe/Zurich', source: { kind: 'members' } });
    world.groups.setMember('a', [{ ...always, group: 'street' }]);
    const startMs = Date.parse('2019-03-30T23:00:00Z');
    for (let slot = -1; slot <= 92; slot++) {
      world.put('a', startMs + slot * quarterMs, { integer: 1 });
    }
    await world.settle();
    const at = startMs / hourMs;
    expect(world.sums('street').filter((line) => line.includes('day'))).toEqual([
      `${at - 24} day 0.001 1`,
      `${at} day 0.092 92`,
      `${at + 23} day 0.001 1`,
    ]);
  });

  test('ends in the same, whatever the order of messages, who works at once, and what comes twice', async () => {
    const put = fc.record({
      meter: fc.constantFrom('a', 'b', 'c', 'f'),
      slot: fc.nat(3),
      integer: fc.integer({ min: -99, max: 99 }),
    });
    const choices = fc.infiniteStream(fc.nat(1_000));
    await fc.assert(
      fc.asyncProperty(
        fc.array(put, { minLength: 1, maxLength: 5 }),
        fc.option(fc.constantFrom('a', 'b', 'c')),
        choices,
        async (puts, leaver, stream) => {
          const [world, plain] = [new GroupWorld(), new GroupWorld()];
          [world, plain].forEach(grid);
          const choose = (count: number): number => (stream.next().value as number) % count;
          for (const { meter, slot, integer } of puts) {
            world.put(meter, slot * quarterMs, { integer });
            plain.put(meter, slot * quarterMs, { integer, isTold: meter !== leaver });
          }
          await world.settleBy(choose, 3);
          if (leaver !== null) {
            [world, plain].forEach(({ groups }) => {
              groups.setMember(leaver, [
                { group: leaver === 'c' ? 'south' : 'north', fromMs: 0, toMs: 0, factor: '1' },
              ]);
            });
            world.order([{ meter: leaver, ...day }]);
            await world.settleBy(choose, 3);
          }
          await plain.settle();
          for (const group of ['north', 'south', 'meters', 'feeder', 'losses']) {
            expect(world.sums(group), group).toEqual(plain.sums(group));
          }
        },
      ),
      { numRuns: 20 },
    );
  });
});

describe('what a group costs', () => {
  const meters = 3_000;

  /** As many as fill every leaf. What a reading costs goes by the levels of the tree, not by how many hang at it. */
  async function large(): Promise<GroupWorld> {
    const world = new GroupWorld();
    world.groups.put({ name: 'area', source: { kind: 'filter', filter: 'grid_area = 804' } });
    world.groups.put({ name: 'grid', source: { kind: 'children', children: [{ group: 'area' }] } });
    for (let meter = 0; meter < meters; meter++) {
      world.groups.setMember(`m${meter}`, [{ ...always, group: 'area' }]);
      world.put(`m${meter}`, 0, { integer: 1, isTold: false });
    }
    world.tell(Array.from({ length: meters }, (_, meter) => ({ meter: `m${meter}`, fromMs: 0, toMs: quarterMs })));
    await world.settle();
    return world;
  }

  test('is one pass for a storm, and a read a level for one reading after it', async () => {
    const world = await large();
    expect(world.sums('grid').at(-1)).toBe(`0 day ${meters / 1_000} ${meters}`);
    // Every leaf, the root, and the group above.
    expect(world.counts.nodeReads).toBe(branchesMax + 1 + 1);
    const before = { ...world.counts };
    world.put('m77', 0, { integer: 5 });
    await world.settle();
    expect(world.sums('grid').at(-1)).toBe(`0 day ${(meters + 4) / 1_000} ${meters}`);
    expect(world.counts.readingReads - before.readingReads).toBe(1);
    expect(world.counts.nodeReads - before.nodeReads).toBe(3);
    expect(world.counts.cellWrites - before.cellWrites).toBe(3);
    expect(world.counts.tickets - before.tickets).toBe(4);
  }, 60_000);

  test('is nothing where a tenant has none', async () => {
    const world = new GroupWorld();
    world.put('a', 0, { integer: 1 });
    world.put('b', 0, { integer: 1 });
    await world.settle();
    // A message of days, a read a series: as if there were no such thing as groups.
    expect(world.counts).toEqual({ tickets: 1, readingReads: 2, nodeReads: 0, cellWrites: 0, messages: 1 });
    expect(world.groups.asked).toBe(0);
  });
});

describe('the tree of a group', () => {
  const definition = (source: GroupRequest['source']): GroupDefinition =>
    groupSchema.parse({ name: 'g', timeZone: 'UTC', intervalMs: quarterMs, source });

  test('has members hang at its root where they are few, at leaves where they may be many', () => {
    const few = definition({ kind: 'children', children: [{ group: 'a' }] });
    expect(leafOf(few, { meter: 'group:a', channel: 'import' })).toEqual({ meter: 'group:g', channel: 'node' });
    const street = { ...definition({ kind: 'filter', filter: 'street = 7' }), membersExpected: 20 };
    expect(leafOf(street, { meter: 'm1', channel: 'import' })).toEqual({ meter: 'group:g', channel: 'node' });
    const many = definition({ kind: 'members' });
    const leaves = Array.from({ length: 2_000 }, (_, meter) => leafOf(many, { meter: `m${meter}`, channel: 'import' }));
    expect(new Set(leaves.map(({ channel }) => channel)).size).toBe(branchesMax);
    expect(leaves.map(parentOf)).toEqual(leaves.map(() => ({ meter: 'group:g', channel: 'node' })));
  });
});
