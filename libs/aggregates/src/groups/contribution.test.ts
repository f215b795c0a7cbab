import { integerMax, qualities } from '@meterflow/readings';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { calendarOf, dayMs, hourMs } from '../calendar.ts';
import {
  contributionBytes,
  readingColumns,
  referenceGroup,
  shownContribution,
  type WrittenMember,
  type WrittenReading,
} from '../testing/index.ts';
import { emptyContribution, expectedCount, qualityBits, qualitySet, UnlikeContributionsError } from './contribution.ts';
import type { Contribution, DaySlots } from './contribution.ts';
import { addContribution, ContributionSum, minus, plus, removeContribution } from './contribution-sum.ts';
import { MemberContribution } from './member-contribution.ts';
import type { MemberStretch } from './member-stretch.ts';

const quarterMs = hourMs / 4;
const day: DaySlots = { startMs: 0, endMs: dayMs, slotMs: quarterMs };
const wholeDay: MemberStretch = { fromMs: 0, toMs: dayMs, intervalMs: quarterMs };

const reading = (startMs: number, integer: number, more: Partial<WrittenReading> = {}): WrittenReading => ({
  startMs,
  lengthMs: quarterMs,
  integer,
  decimals: 3,
  quality: 'measured',
  unit: 'kWh',
  ...more,
});

function contribution(
  readings: readonly WrittenReading[],
  stretches: readonly MemberStretch[] = [wholeDay],
  slots = day,
): Contribution {
  return new MemberContribution().of({ ...slots, unit: 'kWh', stretches }, [readingColumns(readings)]);
}

const minutes = 60_000;
const lengths = fc.constantFrom(5 * minutes, 10 * minutes, 15 * minutes, 30 * minutes, 60 * minutes);
const slotLengths = fc.constantFrom(10 * minutes, 15 * minutes, 30 * minutes, 60 * minutes);

/** Members of a few stretches each, with readings in some of their intervals, beside some of other lengths. */
function members(
  slots: DaySlots,
  integers = fc.integer({ min: -9_000_000, max: 9_000_000 }),
): fc.Arbitrary<WrittenMember[]> {
  const span = Math.round((slots.endMs - slots.startMs) / (5 * minutes));
  const fitting = lengths.filter((length) => length % slots.slotMs === 0 || slots.slotMs % length === 0);
  const stretchList = fc
    .tuple(
      fc.uniqueArray(fc.integer({ min: -12, max: span + 12 }), { maxLength: 4 }),
      fc.array(fitting, { minLength: 4, maxLength: 4 }),
    )
    .map(([bounds, intervals]) => {
      const instants = bounds.sort((a, b) => a - b).map((bound) => slots.startMs + bound * 5 * minutes);
      return instants.slice(1).map((toMs, index) => ({
        fromMs: instants[index] as number,
        toMs,
        intervalMs: intervals[index] as number,
      }));
    });
  const written = fc
    .uniqueArray(
      fc.record({
        lengthMs: lengths,
        index: fc.integer({ min: -2, max: span }),
        integer: integers,
        decimals: fc.nat(9),
        quality: fc.constantFrom(...qualities),
      }),
      { selector: ({ lengthMs, index }) => `${lengthMs} ${index}`, maxLength: 60 },
    )
    .map((list) =>
      list.map(({ index, ...more }) => ({ startMs: slots.startMs + index * more.lengthMs, unit: 'kWh', ...more })),
    );
  return fc.array(fc.record({ stretches: stretchList, readings: written }), { maxLength: 6 });
}

const contributionOf = (member: WrittenMember, slots: DaySlots): Contribution =>
  contribution(member.readings, member.stretches, slots);

function sumOf(parts: readonly Contribution[], slots: DaySlots): Contribution {
  const sum = new ContributionSum();
  sum.reset(slots, 'kWh');
  for (const part of parts) {
    sum.add(part);
  }
  return sum.finish();
}

describe('a contribution', () => {
  test('says for each slot the exact sum, and who was expected and gave what', () => {
    const shown = shownContribution(contribution([reading(0, 125), reading(quarterMs, 5, { quality: 'estimated' })]));
    expect(shown).toHaveLength(96);
    expect(shown.slice(0, 3)).toEqual([
      { sum: '1/8', series: { measured: 1 } },
      { sum: '1/200', series: { estimated: 1 } },
      { sum: '0', series: { missing: 1 } },
    ]);
  });

  test('ends with the membership in mid-day, and expects nothing beyond', () => {
    const shown = shownContribution(
      contribution([reading(0, 1_000), reading(10 * hourMs, 2_000)], [{ ...wholeDay, toMs: 10 * hourMs }]),
    );
    expect(shown[0]).toEqual({ sum: '1', series: { measured: 1 } });
    expect(shown[39]).toEqual({ sum: '0', series: { missing: 1 } });
    expect(shown[40]).toEqual({ sum: '0', series: {} });
  });

  test('shares an hour out to its quarters, and sums quarters where slots are hours', () => {
    const stretches = [
      { fromMs: 0, toMs: hourMs, intervalMs: hourMs },
      { fromMs: hourMs, toMs: dayMs, intervalMs: quarterMs },
    ];
    const readings = [reading(0, 3, { lengthMs: hourMs }), reading(hourMs, 7), reading(hourMs + quarterMs, 8)];
    const quarters = shownContribution(contribution(readings, stretches));
    expect(quarters.slice(0, 6).map(({ sum }) => sum)).toEqual([
      '3/4000',
      '3/4000',
      '3/4000',
      '3/4000',
      '7/1000',
      '1/125',
    ]);
    const hours = shownContribution(contribution(readings, stretches, { ...day, slotMs: hourMs }));
    expect(hours.slice(0, 3)).toEqual([
      { sum: '3/1000', series: { measured: 1 } },
      { sum: '3/200', series: { estimated: 1 } },
      { sum: '0', series: { missing: 1 } },
    ]);
  });

  test('is in the unit of the group, and misses what can not be', () => {
    const readings = [
      reading(0, 5, { unit: 'Wh', decimals: 0 }),
      reading(quarterMs, 5, { unit: 'MWh' }),
      reading(2 * quarterMs, 5, { unit: 'm3' }),
    ];
    expect(shownContribution(contribution(readings)).slice(0, 3)).toEqual([
      { sum: '1/200', series: { measured: 1 } },
      { sum: '5', series: { measured: 1 } },
      { sum: '0', series: { missing: 1 } },
    ]);
  });

  test('takes the usual length where none is registered, and expects every slot of a silent series', () => {
    const readings = [reading(0, 1, { lengthMs: hourMs }), reading(hourMs, 2, { lengthMs: hourMs }), reading(0, 9)];
    const free = [{ fromMs: 0, toMs: dayMs, intervalMs: undefined }];
    expect(shownContribution(contribution(readings, free))[0]?.sum).toBe('1/4000');
    const silent = contribution([], free);
    expect([expectedCount(silent, 0), qualitySet(qualityBits(silent, 95))]).toEqual([1, ['missing']]);
  });

  test('of an interval that slots can not be cut to is missing', () => {
    const tenMinutes = { fromMs: 0, toMs: dayMs, intervalMs: 10 * minutes };
    const shown = shownContribution(contribution([reading(0, 1, { lengthMs: 10 * minutes })], [tenMinutes]));
    expect(shown[0]).toEqual({ sum: '0', series: { missing: 1 } });
  });

  test('keeps the set of qualities of all members', () => {
    const parts = qualities.map((quality) => contribution([reading(0, 1, { quality })]));
    const sum = sumOf(parts, day);
    expect(qualitySet(qualityBits(sum, 0))).toEqual([...qualities]);
    expect(expectedCount(sum, 0)).toBe(5);
  });
});

describe('groups', () => {
  test.each([
    ['UTC', '2023-07-02'],
    ['Europe/Copenhagen', '2023-03-26'],
    ['Europe/Copenhagen', '2023-10-29'],
    ['America/St_Johns', '2019-11-03'],
    ['Australia/Lord_Howe', '2019-04-07'],
  ])('equal a plain sum over everything in %s on %s', (zone, date) => {
    const calendar = calendarOf(zone);
    const localDay = Date.parse(date) / dayMs;
    const span = { startMs: calendar.dayStartMs(localDay), endMs: calendar.dayStartMs(localDay + 1) };
    const cases = slotLengths.chain((slotMs) =>
      members({ ...span, slotMs }).map((list) => ({ slots: { ...span, slotMs }, list })),
    );
    fc.assert(
      fc.property(cases, ({ slots, list }) => {
        const parts = list.map((member) => contributionOf(member, slots));
        expect(shownContribution(sumOf(parts, slots))).toEqual(referenceGroup(list, slots));
      }),
      { numRuns: 40 },
    );
  });

  const grouped = fc.record({
    list: members(day, fc.integer({ min: -integerMax, max: integerMax })),
    cut: fc.nat(6),
    order: fc.infiniteStream(fc.nat(1_000)),
  });

  test('have the same bytes in any order and grouping', () => {
    fc.assert(
      fc.property(grouped, ({ list, cut, order }) => {
        const parts = list.map((member) => contributionOf(member, day));
        const shuffled = parts
          .map((part) => ({ part, key: order.next().value as number }))
          .sort((a, b) => a.key - b.key)
          .map(({ part }) => part);
        const tree = [sumOf(shuffled.slice(0, cut), day), sumOf(shuffled.slice(cut), day)];
        expect(contributionBytes(sumOf(tree, day))).toBe(contributionBytes(sumOf(parts, day)));
      }),
      { numRuns: 100 },
    );
  });

  test('are as if a member had never been there once it is removed, whatever its factor', () => {
    fc.assert(
      fc.property(grouped, fc.constantFrom(plus, minus, { integer: 25, decimals: 2 }), ({ list }, factor) => {
        const parts = list.map((member) => contributionOf(member, day));
        const [first = emptyContribution(day, 'kWh'), ...rest] = parts;
        const without = sumOf(rest, day);
        const withIt = addContribution(without, first, factor);
        expect(contributionBytes(removeContribution(withIt, first, factor))).toBe(contributionBytes(without));
      }),
      { numRuns: 100 },
    );
  });

  test('of a contribution taken off have the difference and everybody who took part', () => {
    const feeder = contribution([reading(0, 1_000)]);
    const meters = sumOf(
      [contribution([reading(0, 300)]), contribution([reading(0, 650, { quality: 'estimated' })])],
      day,
    );
    expect(shownContribution(addContribution(feeder, meters, minus))[0]).toEqual({
      sum: '1/20',
      series: { measured: 2, estimated: 1 },
    });
  });

  test('refuse other slots, other units, and the removal of what is not in them', () => {
    const one = contribution([reading(0, 1)]);
    const hours = contribution([], [wholeDay], { ...day, slotMs: hourMs });
    expect(() => addContribution(one, hours)).toThrow(UnlikeContributionsError);
    expect(() => addContribution(one, { ...one, unit: 'm3' })).toThrow(UnlikeContributionsError);
    expect(() => removeContribution(emptyContribution(day, 'kWh'), one)).toThrow(UnlikeContributionsError);
  });
});
