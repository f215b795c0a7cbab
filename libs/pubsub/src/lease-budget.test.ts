import { expect, test } from 'vitest';
import { LeaseBudget } from './lease-budget.ts';
import type { Leased } from './leased.ts';

const limits = { ackDeadlineMs: 60_000, leasesMax: 2_000, leasedBytesMax: 1e9 };
const messages = (count: number): Leased[] =>
  Array.from({ length: count }, () => ({ payload: new Uint8Array(10), leasedUntilMs: 1e9 }) as unknown as Leased);

/** How many may be leased after a thousand were settled two minutes after they came, as by a sink of load jobs. */
function roomAfterLoad(budget: LeaseBudget): number {
  const first = messages(1_000);
  budget.came(first, 0);
  budget.settled(first, 120_000);
  return budget.room(2_000, 120_000);
}

test('a source takes no more than it can finish in half an ack deadline', () => {
  expect(roomAfterLoad(new LeaseBudget(limits))).toBeLessThan(1_000);
});

test('unless it works in large groups that take long: else each would be smaller than the one before', () => {
  expect(roomAfterLoad(new LeaseBudget({ ...limits, finishMs: 600_000 }))).toBe(2_000);
});
