import { AggregateBatchBuilder } from '@meterflow/aggregates';
import type { GroupsSnapshot, Member, MembersPage } from '@meterflow/registry';
import { expect, test } from 'vitest';
import { groupParts } from './group-parts.ts';

const always = { fromMs: -Infinity, toMs: Infinity, factor: '1' };
const asked = { tenant: 'acme', group: 'g', resolution: 'day', fromMs: 0, toMs: 86_400_000 } as const;
const nothing = new AggregateBatchBuilder().finish({ tenant: '', level: 'day', ticket: 0, causes: [] });

/** Pages of a group by their number; how many were asked for, and how many windows were read. */
function rig(page: (number: number) => MembersPage) {
  const counts = { pages: 0, reads: 0 };
  const snapshot = {
    membersPage: (_: string, after = '0') => {
      counts.pages += 1;
      return Promise.resolve(page(Number(after)));
    },
  } as unknown as GroupsSnapshot;
  const read = () => {
    counts.reads += 1;
    return Promise.resolve(nothing);
  };
  return {
    counts,
    of: (after?: string) => groupParts({ aggregates: { read }, nowMs: () => 0 }, snapshot, { ...asked, after }),
  };
}

function meters(from: number, count: number): Member[] {
  return Array.from({ length: count }, (_, index) => ({
    of: { meter: `m${from + index}`, channel: 'import' },
    ...always,
  }));
}

test('of a filter that takes nobody of millions some thousands are looked at, and it goes on there', async () => {
  const { counts, of } = rig((number) => ({ members: [], next: String(number + 1) }));
  const first = await of();
  expect(first.parts).toEqual([]);
  expect(counts).toEqual({ pages: 40, reads: 0 });
  expect((await of(first.next)).next).toBe('80');
});

test('a large group is told part by part, each member once', async () => {
  const { counts, of } = rig((number) => ({
    members: meters(number * 500, 500),
    ...(number < 4 ? { next: String(number + 1) } : {}),
  }));
  const told: string[] = [];
  let after: string | undefined;
  let answers = 0;
  do {
    const { parts, next } = await of(after);
    told.push(...parts.map(({ meter }) => meter));
    after = next;
    answers += 1;
  } while (after !== undefined);
  expect(told).toEqual(meters(0, 2_500).map(({ of: member }) => ('meter' in member ? member.meter : '')));
  expect([answers, counts.reads]).toEqual([3, 2_500]);
});

test('a member of other times is none of the window', async () => {
  const [one, other] = meters(0, 2) as [Member, Member];
  const { of } = rig(() => ({
    members: [
      { ...one, toMs: 0 },
      { ...other, fromMs: 86_400_000 },
    ],
  }));
  expect(await of()).toEqual({ parts: [], next: undefined });
});
