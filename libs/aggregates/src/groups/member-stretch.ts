import { missingCode, powersOfTen, type ReadingColumns } from '@meterflow/readings';
import { leastCommonMultiple, unitFraction } from '../resolution/unit-fraction.ts';
import type { DaySlots } from './contribution.ts';
import { StretchRuns } from './stretch-runs.ts';

/** A span [fromMs, toMs) in which a series belongs to the group, with its interval registered then. */
export interface MemberStretch {
  readonly fromMs: number;
  readonly toMs: number;
  /** Undefined: the length that most of its readings with a value have, within the day or else before, or a slot's. */
  readonly intervalMs: number | undefined;
}

/** A stretch cut to the day, its interval known. */
export interface CutStretch {
  readonly fromMs: number;
  readonly toMs: number;
  readonly intervalMs: number;
  /** Slots that an interval covers; 1 also where several intervals share a slot. */
  readonly parts: number;
  /** What a reading is multiplied by to be a part of it in `CutStretches.decimals` and `divisor`; 0: it can't be cut. */
  readonly factor: number;
}

export interface CutStretches {
  readonly stretches: readonly CutStretch[];
  /** What cutting adds to the readings' own decimals, and what all parts are then integers of. */
  readonly decimals: number;
  readonly divisor: number;
}

/** Whether intervals can be brought to slots: several fill one, or one fills several. */
export function fitsSlots(intervalMs: number, slotMs: number): boolean {
  return intervalMs % slotMs === 0 || slotMs % intervalMs === 0;
}

/** `columns` are asked for the usual length where none is registered. */
export function cutStretches(
  stretches: readonly MemberStretch[],
  day: DaySlots,
  columns: readonly ReadingColumns[],
): CutStretches {
  const known = stretches
    .map(({ fromMs, toMs, intervalMs }) => {
      const within = { fromMs: Math.max(fromMs, day.startMs), toMs: Math.min(toMs, day.endMs) };
      const lengthMs =
        intervalMs ?? usualLength(columns, within) ?? usualLength(columns, { fromMs, toMs: within.toMs }) ?? day.slotMs;
      // An interval of several slots may have begun before the day.
      const leadMs = Math.max(0, lengthMs - day.slotMs);
      return { fromMs: Math.max(fromMs, day.startMs - leadMs), toMs: within.toMs, intervalMs: lengthMs };
    })
    .filter(({ fromMs, toMs }) => fromMs < toMs);
  const fractions = known.map(({ intervalMs }) =>
    unitFraction(intervalMs % day.slotMs === 0 ? intervalMs / day.slotMs : 1),
  );
  const decimals = fractions.reduce((most, fraction) => Math.max(most, fraction.decimals), 0);
  const divisor = fractions.reduce((common, fraction) => leastCommonMultiple(common, fraction.divisor), 1);
  const cut = known.map((stretch, index): CutStretch => {
    const fraction = fractions[index] as (typeof fractions)[number];
    const scale = (powersOfTen[decimals - fraction.decimals] as number) * (divisor / fraction.divisor);
    return {
      ...stretch,
      parts: Math.ceil(stretch.intervalMs / day.slotMs),
      factor: fitsSlots(stretch.intervalMs, day.slotMs) ? fraction.multiplier * scale : 0,
    };
  });
  return { stretches: cut, decimals, divisor };
}

/** The length that most readings with a value have which start in the span (ties: the shorter); undefined: none does. */
function usualLength(
  columns: readonly ReadingColumns[],
  span: { readonly fromMs: number; readonly toMs: number },
): number | undefined {
  const counts = new Map<number, number>();
  for (const segment of columns) {
    const runs = new StretchRuns(segment, [span]);
    while (runs.next()) {
      if (runs.lengthMs > 0 && runs.quality !== missingCode) {
        counts.set(runs.lengthMs, (counts.get(runs.lengthMs) ?? 0) + runs.to - runs.from);
      }
    }
  }
  const byCount = [...counts].sort(([a, aCount], [b, bCount]) => bCount - aCount || a - b);
  return byCount[0]?.[0];
}
