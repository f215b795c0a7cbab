import { expect, test } from 'vitest';
import { dueAbandonedMs, DueRecomputes, type DueRequest } from './due-recomputes.ts';
import { MemoryRegistry } from './testing/memory-registry.ts';

function world() {
  const clock = { nowMs: 1_000 };
  let ids = 0;
  const registry = new MemoryRegistry();
  const due = new DueRecomputes({ registry, nowMs: () => clock.nowMs, newId: () => `i${++ids}` });
  return { clock, due };
}

const requests: readonly DueRequest[] = [
  { tenant: 'acme', scope: { of: 'tenant' }, rulesFor: 'anna' },
  { tenant: 'acme', scope: { of: 'series', series: [{ meter: 'm/1', channel: 'import' }] } },
  { tenant: 'other', scope: { of: 'group', name: 'area 804' } },
  { tenant: 'other', scope: { of: 'calendar', name: 'gas' } },
];

test('what is due stands until it is done, as often as that is said', async () => {
  const { due } = world();
  const noted = [];
  for (const request of requests) {
    noted.push(await due.note(request));
  }
  expect(await due.list('all')).toEqual(noted);
  expect(noted).toMatchObject(requests);
  for (const each of [...noted, ...noted]) {
    await due.done(each);
  }
  expect(await due.list('all')).toEqual([]);
});

test('what somebody may still work at is not told as abandoned', async () => {
  const { clock, due } = world();
  await due.note({ tenant: 'acme', scope: { of: 'tenant' } });
  clock.nowMs += dueAbandonedMs - 1;
  expect(await due.list('abandoned')).toEqual([]);
  clock.nowMs += 1;
  expect(await due.list('abandoned')).toHaveLength(1);
});
