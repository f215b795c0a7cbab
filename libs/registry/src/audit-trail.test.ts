import { expect, test } from 'vitest';
import { AuditTrail, isAuditPosition } from './audit-trail.ts';
import { MemoryRegistry } from './testing/index.ts';

const act = (subject: string) => ({ who: 'user-1', what: 'rule-uploaded', subject, why: 'because' }) as const;

test('lines come newest first, page by page, each tenant’s own, none lost of one millisecond', async () => {
  let [nowMs, id] = [1_700_000_000_000, 0];
  const registry = new MemoryRegistry();
  const trail = new AuditTrail({ registry, nowMs: () => nowMs, newId: () => `id${(id++ / 2) | 0}` });
  await trail.add('acme', act('a'));
  await trail.add('acme', act('b'));
  await trail.add('other', act('x'));
  nowMs += 1;
  await trail.add('acme', act('c'));
  const first = await trail.list('acme', { limit: 1 });
  expect(first.lines).toEqual([{ ...act('c'), atMs: nowMs }]);
  expect(isAuditPosition(first.next ?? '')).toBe(true);
  const rest = await trail.list('acme', { limit: 5, after: first.next ?? '' });
  expect(rest.lines.map(({ subject }) => subject).sort()).toEqual(['a', 'b']);
  expect(rest.next).toBeUndefined();
});
