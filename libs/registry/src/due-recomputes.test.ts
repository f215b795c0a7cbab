import { expect, test } from 'vitest';
import { dueAbandonedMs, dueFreshMs, DueRecomputes, type DueRequest, type LeftRecompute } from './due-recomputes.ts';
import { MemoryRegistry } from './testing/memory-registry.ts';

function world() {
  const clock = { nowMs: 1_000 };
  let ids = 0;
  const registry = new MemoryRegistry();
  const due = new DueRecomputes({ registry, nowMs: () => clock.nowMs, newId: () => `i${++ids}` });
  return { clock, due, registry };
}

const requests: readonly DueRequest[] = [
  { tenant: 'acme', scope: { of: 'tenant' }, rulesFor: 'anna' },
  { tenant: 'acme', scope: { of: 'series', series: [{ meter: 'm/1', channel: 'import' }] } },
  { tenant: 'other', scope: { of: 'group', name: 'area 804' } },
  { tenant: 'other', scope: { of: 'calendar', name: 'gas' } },
  { tenant: 'acme', scope: { of: 'days', days: [{ series: { meter: 'm1', channel: 'import' }, fromMs: 0, toMs: 9 }] } },
];

test('what is due stands until it is done, as often as that is said', async () => {
  const { due } = world();
  const noted = [];
  for (const request of requests) {
    noted.push(await due.note(request));
  }
  expect(await due.list()).toEqual(noted.map((each) => ({ ...each, revision: 1 })));
  expect(noted).toMatchObject(requests);
  for (const each of [...noted, ...noted]) {
    await due.done(each);
  }
  expect(await due.list()).toEqual([]);
});

test('days that are due keep the build before, which does not know them, from nothing that it knows', async () => {
  const { due, registry } = world();
  for (const request of requests) {
    await due.note(request);
  }
  const known = await registry.list('reprocess', { prefix: '/due/', limit: 9 });
  expect(known.map(({ value }) => (value as DueRequest).scope.of)).toEqual(['tenant', 'series', 'group', 'calendar']);
});

test('what somebody may still work at is not left', async () => {
  const { clock, due } = world();
  await due.note({ tenant: 'acme', scope: { of: 'tenant' } });
  clock.nowMs += dueAbandonedMs - 1;
  expect(await due.left(0)).toEqual([]);
  clock.nowMs += 1;
  expect(await due.left(0)).toHaveLength(1);
});

test('what was noted before a process began is left sooner to it, but not what may be about to be changed', async () => {
  const { clock, due } = world();
  await due.note({ tenant: 'acme', scope: { of: 'tenant' } });
  const startedMs = clock.nowMs++;
  await due.note({ tenant: 'later', scope: { of: 'tenant' } });
  clock.nowMs = startedMs + dueFreshMs - 1;
  expect(await due.left(startedMs)).toEqual([]);
  clock.nowMs += 1;
  expect((await due.left(startedMs)).map(({ tenant }) => tenant)).toEqual(['acme']);
  clock.nowMs += dueFreshMs;
  expect((await due.left(startedMs)).map(({ tenant }) => tenant)).toEqual(['acme']);
});

test('what is left is taken by one alone, for as long as it says that it works at it', async () => {
  const { clock, due } = world();
  await due.note({ tenant: 'acme', scope: { of: 'tenant' }, rulesFor: 'anna' });
  clock.nowMs += dueAbandonedMs;
  const [one] = (await due.left(0)) as [LeftRecompute];
  expect(await due.take(one)).toBe(true);
  expect(await due.take(one)).toBe(false);
  clock.nowMs += dueAbandonedMs - 1;
  await due.renew(one);
  clock.nowMs += dueAbandonedMs - 1;
  expect(await due.left(0)).toEqual([]);
  clock.nowMs += 1;
  expect(await due.left(0)).toMatchObject([{ tenant: 'acme', scope: { of: 'tenant' }, rulesFor: 'anna' }]);
  await due.done(one);
  await due.renew(one);
  expect(await due.take(one)).toBe(false);
  expect(await due.list()).toEqual([]);
});
