import { describe, expect, test } from 'vitest';
import { dayMs, hourMs } from '../calendar.ts';
import { contributionBytes, readingColumns, shownContribution } from '../testing/index.ts';
import type { Contribution } from './contribution.ts';
import { addContribution, minus, plus } from './contribution-sum.ts';
import { calculatedContribution, contributionWhere, positivePart } from './derived-contribution.ts';
import { MemberContribution } from './member-contribution.ts';

const hours = { startMs: 0, endMs: dayMs, slotMs: hourMs };

/** A series that gave these thousandths in the first hours, and was a member for as long. */
function given(integers: readonly number[]): Contribution {
  const readings = integers.map((integer, index) => {
    return {
      startMs: index * hourMs,
      lengthMs: hourMs,
      integer,
      decimals: 3,
      quality: 'measured',
      unit: 'kWh',
    } as const;
  });
  const stretches = [{ fromMs: 0, toMs: integers.length * hourMs, intervalMs: hourMs }];
  return new MemberContribution().of({ ...hours, unit: 'kWh', stretches }, [readingColumns(readings)]);
}

const sums = (contribution: Contribution) =>
  shownContribution(contribution)
    .slice(0, 4)
    .map(({ sum }) => sum);

describe('what is worked out from contributions', () => {
  test('is calculated wherever there was something to work with', () => {
    const difference = addContribution(given([1, 2]), given([1]), minus);
    expect(shownContribution(calculatedContribution(difference)).slice(0, 3)).toEqual([
      { sum: '0', series: { calculated: 1 } },
      { sum: '1/500', series: { calculated: 1 } },
      { sum: '0', series: {} },
    ]);
  });

  test('splits into what is above zero and what is below, which together are the whole', () => {
    const loss = given([-2542, 1458, 0, 2 ** 52]);
    expect(sums(positivePart(loss, plus))).toEqual(['0', '729/500', '0', `${2n ** 49n}/125`]);
    expect(sums(positivePart(loss, minus))).toEqual(['1271/500', '0', '0', '0']);
    const above = positivePart(loss, plus);
    const counted = addContribution(above, positivePart(loss, minus), minus);
    expect(shownContribution(counted).map(({ sum }) => sum)).toEqual(shownContribution(loss).map(({ sum }) => sum));
  });

  test('is nothing, and expects nothing, in slots that are left out; its form is canonical', () => {
    const whole = given([1, 2000, 3000]);
    const rest = contributionWhere(whole, (slot) => slot > 0);
    expect(shownContribution(rest).slice(0, 2)).toEqual([
      { sum: '0', series: {} },
      { sum: '2', series: { measured: 1 } },
    ]);
    expect(contributionBytes(rest)).toBe(contributionBytes(contributionWhere(rest, () => true)));
    expect(rest.decimals).toBe(0);
  });
});
