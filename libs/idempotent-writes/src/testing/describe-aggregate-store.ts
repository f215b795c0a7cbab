import { wholeWindow, type SheetLevel } from '@meterflow/aggregates';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { AggregateStore } from '../aggregate-store.ts';
import { noOutcomes } from '../outcome.ts';
import { aggregateWrite, shownAggregates, type PlainSheet } from './plain-sheets.ts';

/** An aggregate store of its own, empty. */
export interface AggregateStoreUnderTest {
  readonly store: AggregateStore;
  close(): Promise<void>;
}

export interface DescribeAggregateStoreOptions {
  /** False where the store's outcomes are advisory. */
  readonly exactOutcomes?: boolean;
  readonly runs?: number;
}

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** Midnight in Zurich. */
const startMs = Date.UTC(2024, 2, 30, 23);
const day = (sums: Record<number, number>, change: Partial<PlainSheet> = {}): PlainSheet => ({
  startMs,
  endMs: startMs + dayMs,
  sums,
  ...change,
});

/** What every aggregate store promises. */
export function describeAggregateStore(
  name: string,
  open: () => Promise<AggregateStoreUnderTest>,
  { exactOutcomes = true, runs = 40 }: DescribeAggregateStoreOptions = {},
): void {
  describe(`${name} as an aggregate store`, () => {
    let subject: AggregateStoreUnderTest;
    let store: AggregateStore;

    beforeEach(async () => {
      subject = await open();
      store = subject.store;
    });

    afterEach(() => subject.close());

    const write = async (ticket: number, ...sheets: PlainSheet[]): Promise<unknown> =>
      (await store.write([aggregateWrite({ ticket, sheets })]))[0];
    const stored = async (
      level: SheetLevel = 'day',
      meter = 'm1',
      span = { fromMs: 0, toMs: 1e13 },
    ): Promise<string[]> =>
      shownAggregates(await store.read({ tenant: 'acme', meter, channel: 'import', level, ...span }));
    const expectOutcome = (found: unknown, expected: object): void => {
      if (exactOutcomes) {
        expect(found).toEqual({ ...noOutcomes, ...expected });
      }
    };

    test('a sheet comes back as it was written', async () => {
      expectOutcome(await write(1, day({ 0: 100, 23: 7, [wholeWindow]: 107 })), { inserted: 3 });
      expect(await stored()).toEqual([`${startMs} 0 100 kWh`, `${startMs} 23 7 kWh`, `${startMs} 255 107 kWh`]);
      const batch = await store.read({
        tenant: 'acme',
        meter: 'm1',
        channel: 'import',
        level: 'day',
        fromMs: 0,
        toMs: 1e13,
      });
      expect(batch).toMatchObject({ tenant: 'acme', level: 'day', ticket: 1, causes: [], decimals: 3 });
      expect(batch.sheets.endMs[0]).toBe(startMs + dayMs);
    });

    test('sheets of several scales come back in one batch, ascending', async () => {
      const next = { startMs: startMs + dayMs, endMs: startMs + 2 * dayMs };
      await store.write([
        aggregateWrite({ ticket: 2, sheets: [day({ [wholeWindow]: 5 }, next)], decimals: 6 }),
        aggregateWrite({ ticket: 1, sheets: [day({ [wholeWindow]: 12_000 })] }),
      ]);
      expect(await stored()).toEqual([`${startMs} 255 12000 kWh`, `${next.startMs} 255 5 kWh`]);
    });

    test('a span gives the sheets that start in it', async () => {
      const sheets = [0, 1, 2].map((index) =>
        day({ [wholeWindow]: index + 1 }, { startMs: startMs + index * dayMs, endMs: startMs + (index + 1) * dayMs }),
      );
      await write(1, ...sheets);
      const span = { fromMs: startMs + 1, toMs: startMs + 2 * dayMs };
      expect(await stored('day', 'm1', span)).toEqual([`${startMs + dayMs} 255 2 kWh`]);
      expect(await stored('day', 'm1', { fromMs: startMs, toMs: startMs + 1 })).toHaveLength(1);
      expect(await stored('day', 'm2')).toEqual([]);
    });

    test('two local days that start on one UTC day are two sheets', async () => {
      const short = day({ [wholeWindow]: 1 }, { startMs: Date.UTC(2024, 2, 31, 0), endMs: Date.UTC(2024, 2, 31, 23) });
      const after = day({ [wholeWindow]: 2 }, { startMs: Date.UTC(2024, 2, 31, 23), endMs: Date.UTC(2024, 3, 1, 23) });
      await write(1, short, after);
      expect(await stored()).toHaveLength(2);
    });

    test('days and months do not meet', async () => {
      await store.write([
        aggregateWrite({ ticket: 1, level: 'month', sheets: [day({ [wholeWindow]: 31 })] }),
        aggregateWrite({ ticket: 1, level: 'day', sheets: [day({ [wholeWindow]: 1 })] }),
      ]);
      expect(await stored('month')).toEqual([`${startMs} 255 31 kWh`]);
      expect(await stored('day')).toEqual([`${startMs} 255 1 kWh`]);
    });

    test('the higher ticket stays, whichever comes first', async () => {
      await write(5, day({ 0: 50, [wholeWindow]: 50 }));
      expectOutcome(await write(4, day({ 0: 40, [wholeWindow]: 40 })), { shadowed: 2 });
      expect(await stored()).toEqual([`${startMs} 0 50 kWh`, `${startMs} 255 50 kWh`]);
      expectOutcome(await write(6, day({ 0: 60, [wholeWindow]: 60 })), { superseded: 2 });
      expect(await stored()).toEqual([`${startMs} 0 60 kWh`, `${startMs} 255 60 kWh`]);
    });

    test('only what changed counts: new, changed and withdrawn windows each', async () => {
      await write(1, day({ 0: 1, 1: 2, 2: 3, [wholeWindow]: 6 }));
      expectOutcome(await write(2, day({ 0: 1, 1: 5, 3: 3, [wholeWindow]: 9 })), {
        duplicate: 1,
        superseded: 3,
        inserted: 1,
      });
    });

    test('a sheet that says the same, in other decimals too, raises the stored ticket and counts as duplicates', async () => {
      await write(1, day({ 0: 1000, [wholeWindow]: 1000 }));
      const same = aggregateWrite({ ticket: 5, sheets: [day({ 0: 1000, [wholeWindow]: 1000 })], decimals: 6 });
      expectOutcome((await store.write([same]))[0], { duplicate: 2 });
      expectOutcome(await write(4, day({ 0: 7, [wholeWindow]: 7 })), { shadowed: 2 });
    });

    test('a sheet without rows withdraws, and an older one does not bring back', async () => {
      await write(1, day({ 0: 1, [wholeWindow]: 1 }));
      expectOutcome(await write(3, day({})), { superseded: 2 });
      expect(await stored()).toEqual([]);
      expectOutcome(await write(2, day({ 0: 1, [wholeWindow]: 1 })), { shadowed: 2 });
      expect(await stored()).toEqual([]);
      expectOutcome(await write(4, day({ 0: 2, [wholeWindow]: 2 })), { inserted: 2 });
    });

    test('a withdrawal that comes first keeps older sheets out', async () => {
      await write(3, day({}));
      expectOutcome(await write(2, day({ 0: 1, [wholeWindow]: 1 })), { shadowed: 2 });
      expect(await stored()).toEqual([]);
    });

    test('a window of a former zone is withdrawn beside the one of now that starts in the same half day, in any order', async () => {
      const former = (sums: PlainSheet['sums']): PlainSheet => day(sums);
      const now = day({ [wholeWindow]: 2 }, { startMs: startMs - 8 * hourMs, endMs: startMs + 16 * hourMs });
      const left = [`${startMs - 8 * hourMs} 255 2 kWh`];
      await write(1, former({ [wholeWindow]: 1 }));
      await write(3, now, former({}));
      expect(await stored()).toEqual(left);
      await write(3, former({}), now);
      await write(2, former({ [wholeWindow]: 9 }));
      expect(await stored()).toEqual(left);
      await write(4, former({}));
      await write(4, now);
      expect(await stored()).toEqual(left);
    });

    test('sums beyond 2^53 stay exact', async () => {
      const built = aggregateWrite({ ticket: 1, sheets: [day({ [wholeWindow]: 1 })] });
      built.batch.rows.sumHigh[0] = 8_999_999_999_999;
      built.batch.rows.sumLow[0] = 999_999_999_999_999;
      await store.write([built]);
      const { rows, decimals } = await store.read({
        tenant: 'acme',
        meter: 'm1',
        channel: 'import',
        level: 'day',
        fromMs: 0,
        toMs: 1e13,
      });
      expect([rows.sumHigh[0], rows.sumLow[0], decimals]).toEqual([8_999_999_999_999, 999_999_999_999_999, 3]);
    });

    test('in whatever order, grouping and repetition sheets come, those of the highest tickets are left', async () => {
      const arbitrary = fc.array(
        fc.record({ slot: fc.nat(3), sums: fc.array(fc.integer({ min: -5, max: 5 }), { maxLength: 3 }) }),
        { minLength: 1, maxLength: 12 },
      );
      const property = fc.asyncProperty(arbitrary, fc.infiniteStream(fc.nat()), async (plain, chance) => {
        const opened = await open();
        const fresh = opened.store;
        const pick = (below: number): number => chance.next().value % below;
        const slotMs = (slot: number): number => startMs + slot * dayMs;
        const writes = plain.map(({ slot, sums }, index) =>
          aggregateWrite({
            ticket: index + 1,
            sheets: [day(Object.fromEntries(sums.entries()), { startMs: slotMs(slot), endMs: slotMs(slot + 1) })],
          }),
        );
        const deliveries = [...writes, ...writes.filter(() => pick(3) === 0)];
        while (deliveries.length > 0) {
          await fresh.write(deliveries.splice(pick(deliveries.length), 1 + pick(3)));
        }
        const expected = [0, 1, 2, 3].flatMap((slot) => {
          const last = plain.findLast((one) => one.slot === slot);
          return [...(last?.sums.entries() ?? [])].map(([hour, sum]) => `${slotMs(slot)} ${hour} ${sum} kWh`);
        });
        const left = await fresh.read({
          tenant: 'acme',
          meter: 'm1',
          channel: 'import',
          level: 'day',
          fromMs: 0,
          toMs: 1e13,
        });
        expect(shownAggregates(left)).toEqual(expected);
        await opened.close();
      });
      await fc.assert(property, { numRuns: runs });
    });
  });
}
