import {
  calculatedContribution,
  calendarOf,
  ContributionSum,
  contributionWhere,
  expectedCount,
  hourMs,
  MemberContribution,
  positivePart,
  roundedContribution,
  type Contribution,
  type DaySlots,
} from '@meterflow/aggregates';
import { parseFilter } from '@meterflow/registry';
import { memberSpans, registeredSpans, type RegisteredSpan } from './member-spans.ts';
import { unit, type MeteringPoint } from './metering-points.ts';
import type { Scenario } from './scenario.ts';
import type { Dimension, GridLossStep, MembersStep, SettlementStep, TermsStep } from './settlement-profile.ts';

/** What tells the groups of a result apart: the grid area, and whatever else its step names. */
export type Key = Readonly<Partial<Record<Dimension, string>>>;

/** A group of a result: its contribution for each local day of the period; slots where nothing is expected have no value. */
export interface SettledGroup {
  readonly key: Key;
  readonly days: readonly Contribution[];
}

/** The groups of each step, by its name. */
export type Settlement = ReadonlyMap<string, readonly SettledGroup[]>;

type Period = Pick<Scenario, 'gridAreas' | 'fromMs' | 'toMs' | 'timeZone' | 'quartersFromMs'>;

/** Settlements are in three decimals; an hour's quarters give the hour back. */
const rounding = { decimals: 3, carryMs: hourMs };

/** Works out all steps of a profile for a period, each from the metering points or from the steps before it. */
export function settle(
  profile: readonly SettlementStep[],
  points: readonly MeteringPoint[],
  period: Period,
): Settlement {
  const ground: Ground = {
    period,
    days: localDays(period),
    members: points.map((point) => ({ point, spans: registeredSpans(point, period) })),
  };
  const settled = new Map<string, readonly SettledGroup[]>();
  for (const step of profile) {
    settled.set(step.name, groupsOf(step, ground, settled));
  }
  return settled;
}

/** The length of the slots that a period is settled in. */
export function slotMsOf({ toMs, quartersFromMs }: Period): number {
  return toMs <= quartersFromMs ? hourMs : hourMs / 4;
}

interface Ground {
  readonly period: Period;
  readonly days: readonly DaySlots[];
  readonly members: readonly { readonly point: MeteringPoint; readonly spans: readonly RegisteredSpan[] }[];
}

function localDays(period: Period): readonly DaySlots[] {
  const calendar = calendarOf(period.timeZone);
  const days: DaySlots[] = [];
  for (let day = calendar.dayOf(period.fromMs); calendar.dayStartMs(day) < period.toMs; day++) {
    days.push({ startMs: calendar.dayStartMs(day), endMs: calendar.dayStartMs(day + 1), slotMs: slotMsOf(period) });
  }
  return days;
}

function groupsOf(step: SettlementStep, ground: Ground, settled: Settlement): readonly SettledGroup[] {
  switch (step.is) {
    case 'members':
      return memberGroups(step, ground);
    case 'terms':
      return termGroups(step, ground, settled);
    case 'gridLoss':
      return gridLossGroups(step, ground, settled);
  }
}

function memberGroups(step: MembersStep, ground: Ground): readonly SettledGroup[] {
  return keysOf(step, ground).map((key) => {
    const filter = parseFilter(filterText(step, key));
    const found = ground.members
      .map(({ point, spans }) => ({ point, stretches: memberSpans(filter, point, spans) }))
      .filter(({ stretches }) => stretches.length > 0);
    const member = new MemberContribution();
    const days = ground.days.map((day) => {
      const sum = new ContributionSum();
      sum.reset(day, unit);
      for (const { point, stretches } of found) {
        sum.add(member.of({ ...day, unit, stretches }, point.columns));
      }
      return step.rounded ? roundedContribution(sum.finish(), rounding) : sum.finish();
    });
    return { key, days };
  });
}

function termGroups(step: TermsStep, ground: Ground, settled: Settlement): readonly SettledGroup[] {
  const terms = step.terms.map(({ of, factor }) => ({
    factor,
    groups: Map.groupBy(settled.get(of) ?? [], ({ key }) => keyText(part(key, step.by))),
  }));
  const keys = new Map(
    terms.flatMap(({ groups }) =>
      [...groups].map(([text, [group]]) => [text, part(group?.key ?? {}, step.by)] as const),
    ),
  );
  return [...keys].map(([text, key]) => ({
    key,
    days: ground.days.map((day, index) => {
      const sums = terms.map(({ groups, factor }) => {
        const sum = new ContributionSum();
        sum.reset(day, unit);
        for (const group of groups.get(text) ?? []) {
          sum.add(group.days[index] as Contribution, factor);
        }
        return sum.finish();
      });
      return finished(step, day, sums);
    }),
  }));
}

function finished(step: TermsStep, day: DaySlots, sums: readonly Contribution[]): Contribution {
  const total = new ContributionSum();
  total.reset(day, unit);
  for (const sum of sums) {
    total.add(sum);
  }
  let made = total.finish();
  if (step.rounded === true) {
    made = roundedContribution(made, rounding);
  }
  if (step.calculated === true) {
    made = calculatedContribution(made);
  }
  const needed = step.where === undefined ? [] : step.where === 'first' ? sums.slice(0, 1) : sums;
  return contributionWhere(made, (slot) => needed.every((sum) => expectedCount(sum, slot) > 0));
}

function gridLossGroups(step: GridLossStep, ground: Ground, settled: Settlement): readonly SettledGroup[] {
  const losses = settled.get(step.of) ?? [];
  return keysOf(step, ground).flatMap((key) => {
    const filter = parseFilter(filterText(step, key));
    const spans = ground.members.flatMap((member) => memberSpans(filter, member.point, member.spans));
    const loss = losses.find((group) => group.key.gridArea === key.gridArea);
    const days = loss?.days.map((day) =>
      contributionWhere(positivePart(day, step.sign), (slot) => {
        const startMs = day.startMs + slot * day.slotMs;
        return spans.some(({ fromMs, toMs }) => startMs >= fromMs && startMs < toMs);
      }),
    );
    return days === undefined ? [] : [{ key, days }];
  });
}

/** Which groups there are: every combination of the tags' values that occurs in the period, in its grid areas. */
function keysOf({ filter, by }: MembersStep | GridLossStep, { members, period }: Ground): readonly Key[] {
  const parsed = parseFilter(filter);
  const keys = new Map<string, Key>();
  for (const { point, spans } of members) {
    for (const { tags } of memberSpans(parsed, point, spans)) {
      const values = Object.entries(by).map(([dimension, tag]) => [
        dimension,
        tag === 'meter' ? point.id : String(tags[tag] ?? ''),
      ]);
      const key = Object.fromEntries(values) as Key;
      if (period.gridAreas.includes(key.gridArea ?? '')) {
        keys.set(keyText(key), key);
      }
    }
  }
  return [...keys.values()];
}

/** The filter of one group: what its step asks for, and the values that tell the group from the others. */
function filterText({ filter, by }: MembersStep | GridLossStep, key: Key): string {
  const own = Object.entries(by).map(
    ([dimension, tag]) => `${tag} = '${(key[dimension as Dimension] ?? '').replaceAll("'", "''")}'`,
  );
  return [filter, ...own].join(' and ');
}

function part(key: Key, dimensions: readonly Dimension[]): Key {
  return Object.fromEntries(dimensions.map((dimension) => [dimension, key[dimension] ?? '']));
}

export function keyText(key: Key): string {
  return JSON.stringify(Object.entries(key).sort(([a], [b]) => (a < b ? -1 : 1)));
}
