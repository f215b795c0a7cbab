import fc from 'fast-check';
import { expect, test } from 'vitest';
import { pageOf, rowSets, type Position } from './query-span.ts';

const dayMs = 86_400_000;

/** A store with these rows, and the most and how many it was asked for. */
function storeOf(rows: readonly Position[]) {
  const told = { reads: 0, rowsMax: 0 };
  const read = (fromMs: number, toMs: number): Promise<readonly Position[]> => {
    const found = rows.filter(({ startMs }) => startMs >= fromMs && startMs < toMs);
    told.reads += 1;
    told.rowsMax = Math.max(told.rowsMax, found.length);
    return Promise.resolve(found);
  };
  return { told, read };
}

function every(stepMs: number, days: number): Position[] {
  return Array.from({ length: (days * dayMs) / stepMs }, (_, index) => ({ startMs: index * stepMs, lengthMs: stepMs }));
}

test('law: pages of any size, one after the other, are all rows in order, each once', async () => {
  const rows = fc
    .uniqueArray(fc.record({ startMs: fc.nat(90 * dayMs), lengthMs: fc.nat(3) }), {
      selector: ({ startMs, lengthMs }) => `${startMs} ${lengthMs}`,
      maxLength: 80,
    })
    .map((all) => all.sort((a, b) => a.startMs - b.startMs || a.lengthMs - b.lengthMs));
  await fc.assert(
    fc.asyncProperty(rows, fc.integer({ min: 1, max: 30 }), async (all, limit) => {
      const { read } = storeOf(all);
      const found: Position[] = [];
      let after: string | undefined;
      do {
        const page = await pageOf({ from: 0, to: 100 * dayMs, limit, after }, read);
        expect(page.rows.length).toBeLessThanOrEqual(limit);
        found.push(...page.rows);
        after = page.next;
      } while (after !== undefined);
      expect(found).toEqual(all);
    }),
    { numRuns: 50 },
  );
});

test('a page reads no more than it takes: of a year of minutes as of hours, and no less than a day', async () => {
  for (const stepMs of [60_000, 3_600_000]) {
    const { told, read } = storeOf(every(stepMs, 366));
    for (const limit of [10, 10_000]) {
      told.rowsMax = 0;
      const page = await pageOf({ from: 0, to: 366 * dayMs, limit }, read);
      expect(page.rows).toHaveLength(Math.min(limit, (366 * dayMs) / stepMs));
      expect(told.rowsMax).toBeLessThanOrEqual(Math.max(limit + 1, dayMs / stepMs));
    }
  }
});

test('half a century without a row takes some dozens of reads', async () => {
  const { told, read } = storeOf([]);
  await pageOf({ from: 0, to: 50 * 366 * dayMs }, read);
  expect(told.reads).toBeLessThan(60);
});

test('rows that are taken piece by piece come in pieces that are bounded', async () => {
  const { told, read } = storeOf(every(10_000, 40));
  let rows = 0;
  for await (const some of rowSets({ from: 0, to: 40 * dayMs }, read)) {
    rows += some.length;
  }
  expect(rows).toBe(40 * 8_640);
  expect(told.rowsMax).toBeLessThanOrEqual(50_000);
});
