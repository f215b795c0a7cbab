import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AggregateBatchBuilder } from '../aggregate-batch-builder.ts';
import { dayMs, hourMs } from '../calendar.ts';
import { readingColumns, shownContribution, shownSheets } from '../testing/index.ts';
import type { Contribution } from './contribution.ts';
import { ContributionSum } from './contribution-sum.ts';
import { fittedContribution } from './fitted-contribution.ts';
import { appendGroupSheet } from './group-sheet.ts';
import { MemberContribution } from './member-contribution.ts';

const quarterMs = hourMs / 4;
const slots = { startMs: 0, endMs: dayMs, slotMs: quarterMs };

function member(
  values: readonly (readonly [slot: number, integer: number, quality?: 'measured' | 'estimated'])[],
  { lengthMs = quarterMs, slotMs = quarterMs } = {},
): Contribution {
  const readings = values.map(([slot, integer, quality = 'measured']) => ({
    startMs: slot * lengthMs,
    ...{ lengthMs, integer, decimals: 3, quality, unit: 'kWh' },
  }));
  const stretches = [{ fromMs: 0, toMs: dayMs, intervalMs: lengthMs }];
  return new MemberContribution().of({ ...slots, slotMs, unit: 'kWh', stretches }, [readingColumns(readings)]);
}

function added(...members: readonly Contribution[]): Contribution {
  const sum = new ContributionSum();
  sum.reset(members[0] as Contribution, 'kWh');
  members.forEach((each) => {
    sum.add(each);
  });
  return sum.finish();
}

function sheet(contribution: Contribution): unknown[] {
  const builder = new AggregateBatchBuilder();
  appendGroupSheet(builder, builder.series('group:g', 'import'), contribution);
  return shownSheets(builder.finish({ tenant: 'acme', level: 'day', ticket: 1, causes: [] }));
}

describe("a group's day", () => {
  test('has the hours in which anybody gave something, with the least and greatest total of a slot', () => {
    const group = added(
      member([
        [0, 100],
        [1, 200],
        [5, 7],
      ]),
      member([
        [0, 1],
        [1, 900, 'estimated'],
      ]),
    );
    expect(sheet(group)).toMatchObject([
      {
        rows: [
          { hour: 0, sum: '1.201', min: '0.101', max: '1.1', count: 4, quality: 'estimated' },
          { hour: 1, sum: '0.007', min: '0.007', max: '0.007', count: 1, quality: 'estimated' },
          { sum: '1.208', min: '0.007', max: '1.1', count: 5, quality: 'estimated' },
        ],
      },
    ]);
  });

  test('withdraws what was there before where nobody gives anything any more', () => {
    expect(sheet(member([]))).toMatchObject([{ rows: [] }]);
  });

  test('gives an hour that slots share back exactly', () => {
    const sixth = member([[0, 1]], { lengthMs: hourMs, slotMs: hourMs / 6 });
    expect(sheet(sixth)).toMatchObject([{ rows: [{ hour: 0, sum: '0.001' }, { sum: '0.001' }] }]);
  });
});

describe('what a group gives a group above it', () => {
  const at = { ...slots, unit: 'kWh', fromMs: 0, toMs: dayMs };

  test('is in its slots and unit', () => {
    const quarters = member([
      [0, 100],
      [1, 200],
      [2, 0],
      [3, 1],
    ]);
    const hours = fittedContribution(quarters, { ...at, slotMs: hourMs, unit: 'Wh' });
    expect(hours).toMatchObject({ unit: 'Wh', slotMs: hourMs });
    expect(shownContribution(hours as Contribution)[0]).toEqual({ sum: '301', series: { measured: 1 } });
    const shared = fittedContribution(member([[0, 3]], { lengthMs: hourMs, slotMs: hourMs }), at);
    expect(shownContribution(shared as Contribution)[3]).toEqual({ sum: '3/4000', series: { measured: 1 } });
  });

  test('counts while it belongs', () => {
    const cut = fittedContribution(
      member([
        [0, 1],
        [1, 2],
        [2, 3],
      ]),
      { ...at, fromMs: quarterMs, toMs: 2 * quarterMs },
    );
    expect(shownContribution(cut as Contribution).slice(0, 4)).toEqual([
      { sum: '0', series: {} },
      { sum: '1/500', series: { measured: 1 } },
      { sum: '0', series: {} },
      { sum: '0', series: {} },
    ]);
  });

  test('is missing where it can not be converted, and nothing on another day', () => {
    const gas = fittedContribution(member([[0, 1]]), { ...at, unit: 'm3' });
    expect(shownContribution(gas as Contribution)[0]).toEqual({ sum: '0', series: { missing: 1 } });
    expect(fittedContribution(member([[0, 1]]), { ...at, startMs: hourMs, endMs: dayMs + hourMs })).toBeUndefined();
    expect(fittedContribution(member([[0, 1]]), { ...at, slotMs: quarterMs * 1.5 })).toBeUndefined();
  });

  test('keeps totals, in finer and in coarser slots', () => {
    const values = fc.array(fc.integer({ min: -1_000, max: 1_000 }), { minLength: 1, maxLength: 96 });
    fc.assert(
      fc.property(values, fc.constantFrom(2, 4, 8), (integers, parts) => {
        const quarters = member(integers.map((integer, slot) => [slot, integer] as const));
        const coarse = fittedContribution(quarters, { ...at, slotMs: quarterMs * parts }) as Contribution;
        const fine = fittedContribution(coarse, at) as Contribution;
        const total = integers.reduce((sum, integer) => sum + integer, 0) / 1_000;
        for (const each of [coarse, fine]) {
          const [day] = sheet(added(each)) as { rows: { sum: string }[] }[];
          expect(Number(day?.rows.at(-1)?.sum)).toBeCloseTo(total, 9);
        }
      }),
      { numRuns: 60 },
    );
  });
});
