import { wholeWindow } from '@meterflow/aggregates';
import type { Cause } from '@meterflow/readings';
import { epochMs, type PlainReading } from '@meterflow/readings/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { AggregateStore } from '../aggregate-store.ts';
import type { Ledger, LedgerLayer, LedgerSummary } from '../ledger.ts';
import type { ReadingStore } from '../reading-store.ts';
import { aggregateWrite } from './plain-sheets.ts';
import { freshKey, writeOf } from './plain-state.ts';

/** A ledger of its own, empty, and all that writes it. */
export interface LedgerUnderTest {
  readonly ledger: Ledger;
  readonly raw: ReadingStore;
  readonly validated: ReadingStore;
  readonly aggregates: AggregateStore;
  /** As a stage's dead-letter sink would. */
  fail(failure: {
    readonly state: 'dead' | 'parked';
    readonly causes: readonly Cause[];
    readonly layers: readonly LedgerLayer[];
  }): Promise<void>;
  close(): Promise<void>;
}

export interface DescribeLedgerOptions {
  /** False where counts are advisory: batches are then counted alone. */
  readonly exactOutcomes?: boolean;
}

const hourMs = 3_600_000;

function readings(count: number, from = 0): PlainReading[] {
  return Array.from({ length: count }, (_, index) => ({
    meter: 'm1',
    channel: 'import',
    startMs: epochMs + (from + index) * 900_000,
    lengthMs: 900_000,
    integer: from + index,
    decimals: 3,
    quality: 0,
    unit: 'kWh',
    reason: '',
    declared: 0,
  }));
}

/** What every ledger promises, together with the stores that write it. */
export function describeLedger(
  name: string,
  open: () => Promise<LedgerUnderTest>,
  { exactOutcomes = true }: DescribeLedgerOptions = {},
): void {
  describe(`${name} as a ledger`, () => {
    let subject: LedgerUnderTest;

    beforeEach(async () => {
      subject = await open();
    });

    afterEach(() => subject.close());

    const of = async (layer: LedgerLayer, sourceId = 's'): Promise<LedgerSummary | undefined> =>
      (await subject.ledger.summary(sourceId)).find((summary) => summary.layer === layer);
    const batches = async (layer: LedgerLayer, sourceId = 's'): Promise<number[]> => {
      const found = await of(layer, sourceId);
      return [found?.batchesStored ?? 0, found?.batchesDead ?? 0, found?.batchesParked ?? 0];
    };
    const expectCounts = async (layer: LedgerLayer, counts: object, sourceId = 's'): Promise<void> => {
      if (exactOutcomes) {
        expect((await of(layer, sourceId))?.counts).toMatchObject(counts);
      }
    };
    const cause = (change: Partial<Cause> = {}): Cause => ({
      sourceId: 's',
      key: freshKey(),
      part: 0,
      parts: 1,
      ...change,
    });
    const validatedOf = (from: Cause, count = 4): ReturnType<typeof writeOf> =>
      writeOf({ acceptedAtMs: 1, readings: readings(count) }, { layer: 'validated', cause: from });
    const sheet = { startMs: epochMs, endMs: epochMs + 24 * hourMs };

    test('a source that nothing is known of has nothing stored, dead or parked', async () => {
      expect(await batches('raw', 'unknown')).toEqual([0, 0, 0]);
      await expectCounts('raw', { inserted: 0, duplicate: 0 }, 'unknown');
    });

    describe('readings', () => {
      test('a stored batch is its own cause, and its source has its counts', async () => {
        const write = writeOf({ acceptedAtMs: 1, readings: readings(4) }, { sourceId: 's' });
        await subject.raw.write([write]);
        expect(await batches('raw')).toEqual([1, 0, 0]);
        expect(await batches('validated')).toEqual([0, 0, 0]);
        await expectCounts('raw', { inserted: 4, duplicate: 0 });
      });

      test('a batch stored again is not counted again', async () => {
        const write = writeOf({ acceptedAtMs: 1, readings: readings(4) }, { sourceId: 's' });
        await subject.raw.write([write, write]);
        await subject.raw.write([write]);
        expect(await batches('raw')).toEqual([1, 0, 0]);
        await expectCounts('raw', { inserted: 4, duplicate: 0 });
      });

      test('what is delivered anew counts as duplicates of the new source alone', async () => {
        await subject.raw.write([writeOf({ acceptedAtMs: 1, readings: readings(4) }, { sourceId: 's' })]);
        await subject.raw.write([writeOf({ acceptedAtMs: 1, readings: readings(4) }, { sourceId: 't' })]);
        await expectCounts('raw', { inserted: 4, duplicate: 0 });
        await expectCounts('raw', { inserted: 0, duplicate: 4 }, 't');
      });

      test('a batch that was cut is stored when all its parts are', async () => {
        const whole = cause();
        await subject.validated.write([validatedOf({ ...whole, part: 1, parts: 2 })]);
        expect(await batches('validated')).toEqual([0, 0, 0]);
        await subject.validated.write([validatedOf({ ...whole, part: 0, parts: 2 })]);
        expect(await batches('validated')).toEqual([1, 0, 0]);
      });

      test('and so it is when they are stored together', async () => {
        const whole = cause();
        await subject.validated.write([0, 1, 2].map((part) => validatedOf({ ...whole, part, parts: 3 })));
        expect(await batches('validated')).toEqual([1, 0, 0]);
        const other = cause();
        await subject.validated.write([
          validatedOf(other),
          ...[0, 1].map((part) => validatedOf({ ...other, part, parts: 2 })),
        ]);
        expect(await batches('validated')).toEqual([2, 0, 0]);
      });

      test('a later write of the same cause is stored, and its first row stands', async () => {
        const from = cause();
        await subject.validated.write([validatedOf(from, 4)]);
        await subject.validated.write([validatedOf(from, 8)]);
        expect(await batches('validated')).toEqual([1, 0, 0]);
        await expectCounts('validated', { inserted: 4 });
        const days = {
          tenant: 'acme',
          meter: 'm1',
          channel: 'import',
          layer: 'validated' as const,
          fromMs: 0,
          toMs: 1e13,
        };
        expect((await subject.validated.read(days))[0]?.columns.values).toHaveLength(8);
      });

      test('a cause that comes back cut otherwise is one batch', async () => {
        const from = cause();
        await subject.validated.write([validatedOf(from)]);
        await subject.validated.write([
          validatedOf({ ...from, part: 0, parts: 2 }),
          validatedOf({ ...from, part: 1, parts: 2 }),
        ]);
        expect(await batches('validated')).toEqual([1, 0, 0]);
        await expectCounts('validated', { inserted: 4, duplicate: 0 });
      });
    });

    describe('dead and parked', () => {
      test('a failed batch shows in every layer that will not come', async () => {
        await subject.fail({ state: 'dead', causes: [cause()], layers: ['validated', 'hour'] });
        await subject.fail({ state: 'parked', causes: [cause()], layers: ['validated'] });
        expect(await batches('validated')).toEqual([0, 1, 1]);
        expect(await batches('hour')).toEqual([0, 1, 0]);
        expect(await batches('raw')).toEqual([0, 0, 0]);
      });

      test('a later outcome takes its place', async () => {
        const from = cause();
        await subject.fail({ state: 'dead', causes: [from], layers: ['validated'] });
        await subject.validated.write([validatedOf(from)]);
        expect(await batches('validated')).toEqual([1, 0, 0]);
      });

      test('a failure that comes after the outcome changes nothing', async () => {
        const from = cause();
        await subject.validated.write([validatedOf(from)]);
        await subject.fail({ state: 'dead', causes: [from], layers: ['validated'] });
        expect(await batches('validated')).toEqual([1, 0, 0]);
      });

      test('a batch of which one part failed is dead, once', async () => {
        const from = cause({ parts: 3 });
        await subject.validated.write([validatedOf(from)]);
        const failed = [1, 2].map((part) => ({ ...from, part }));
        await subject.fail({ state: 'dead', causes: failed, layers: ['validated'] });
        expect(await batches('validated')).toEqual([0, 1, 0]);
      });
    });

    describe('aggregates', () => {
      const write = async (ticket: number, causes: readonly Cause[], sums: Record<number, number>): Promise<unknown> =>
        subject.aggregates.write([aggregateWrite({ ticket, causes, sheets: [{ ...sheet, sums }] })]);

      test('hours and days of a day sheet, and months, have rows of their own', async () => {
        const from = cause();
        await write(1, [from], { 0: 1, 1: 2, [wholeWindow]: 3 });
        expect([await batches('hour'), await batches('day'), await batches('month')]).toEqual([
          [1, 0, 0],
          [1, 0, 0],
          [0, 0, 0],
        ]);
        await expectCounts('hour', { inserted: 2 });
        await expectCounts('day', { inserted: 1 });
        const month = aggregateWrite({
          ticket: 2,
          level: 'month',
          causes: [from],
          sheets: [{ ...sheet, sums: { [wholeWindow]: 3 } }],
        });
        await subject.aggregates.write([month]);
        expect(await batches('month')).toEqual([1, 0, 0]);
        await expectCounts('month', { inserted: 1 });
      });

      test('of several causes the first takes the counts, so that sums never double', async () => {
        await write(1, [cause(), cause({ sourceId: 't' })], { 0: 1, [wholeWindow]: 1 });
        expect(await batches('hour', 't')).toEqual([1, 0, 0]);
        await expectCounts('hour', { inserted: 1 });
        await expectCounts('hour', { inserted: 0 }, 't');
      });

      test('a cause without a row takes them before one that has its row', async () => {
        const from = cause();
        await write(1, [from], { [wholeWindow]: 1 });
        await write(2, [from, cause({ sourceId: 't' })], { [wholeWindow]: 2 });
        await expectCounts('day', { inserted: 1, superseded: 0 });
        await expectCounts('day', { inserted: 0, superseded: 1 }, 't');
      });

      test('the same message again, and a retry at a higher ticket, count nothing', async () => {
        const from = cause();
        const message = aggregateWrite({
          ticket: 1,
          causes: [from],
          sheets: [{ ...sheet, sums: { [wholeWindow]: 1 } }],
        });
        await subject.aggregates.write([message]);
        await subject.aggregates.write([message]);
        await write(2, [from], { [wholeWindow]: 1 });
        await expectCounts('day', { inserted: 1, superseded: 0, duplicate: 0 });
      });

      test('a change that only causes with a row bring is counted once, on the first of them', async () => {
        const from = cause();
        await write(1, [from], { [wholeWindow]: 1 });
        await write(3, [from], { [wholeWindow]: 9 });
        await write(3, [from], { [wholeWindow]: 9 });
        await write(2, [from], { [wholeWindow]: 5 });
        expect(await batches('day')).toEqual([1, 0, 0]);
        await expectCounts('day', { inserted: 1, superseded: 1, shadowed: 0, duplicate: 0 });
      });

      test('a source whose readings are all duplicates has no aggregates written', async () => {
        await write(1, [cause()], { 0: 1, [wholeWindow]: 1 });
        await write(2, [cause({ sourceId: 't' })], { 0: 1, [wholeWindow]: 1 });
        expect(await batches('day', 't')).toEqual([1, 0, 0]);
        await expectCounts('hour', { inserted: 0, superseded: 0, duplicate: 1 }, 't');
        await expectCounts('day', { inserted: 0, superseded: 0, duplicate: 1 }, 't');
      });
    });
  });
}
