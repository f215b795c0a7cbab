import { dayMs, type DaySlots, type RegisteredIntervals } from '@meterflow/aggregates';
import type { Segment } from '@meterflow/idempotent-writes';
import type { ReadingColumns } from '@meterflow/readings';
import type { GroupDays } from './group-day.ts';

/** Days of a group, by their numbers [first, end), with how long a reading may be that reaches into them. */
export interface OverDays {
  readonly first: number;
  readonly end: number;
  /** 0 where none is longer than a slot: then it belongs to the slot in which it starts. */
  readonly longestMs: number;
}

export interface OwnDays {
  /** What was read of the series over the span. */
  readonly own: readonly Segment[];
  readonly span: { readonly fromMs: number; readonly toMs: number };
  readonly intervals: RegisteredIntervals;
  /** Where something may be gone whose length nobody tells any more. */
  readonly isOrdered: boolean;
}

/** The group's days that a span of a series touches: also those that readings of it, longer than a slot, reach into. */
export function overDays({ calendar, slotMs }: GroupDays, { own, span, intervals, isOrdered }: OwnDays): OverDays {
  const lengths = [...registeredOver(intervals, span), ...own.flatMap(lengthsOf)];
  const longestMs = lengths.reduce(
    (longest, lengthMs) => (lengthMs > slotMs ? Math.max(longest, lengthMs) : longest),
    0,
  );
  const goneMs = lengths.length === 0 ? dayMs : longestMs;
  const reachMs = isOrdered ? span.toMs + goneMs : reachOf(own, span.toMs, slotMs);
  const lastMs = Math.max(span.toMs, reachMs) - 1;
  return { first: calendar.dayOf(span.fromMs), end: calendar.dayOf(lastMs) + 1, longestMs };
}

/** Whether a reading of the greatest length begins just then, so that none of that length reaches over the instant. */
export function beginsAt(
  segments: readonly Segment[],
  { startMs, longestMs }: { readonly startMs: number; readonly longestMs: number },
): boolean {
  return segments.some(({ columns: { spans } }) =>
    spans.startMs.some((fromMs, index) => {
      const last = lastStart(spans, index, startMs);
      return spans.lengthMs[index] === longestMs && fromMs <= startMs && last === startMs;
    }),
  );
}

/** Whether any reading, also one without a value, stands in the day or reaches into it. */
export function reachesInto(columns: readonly ReadingColumns[], { startMs, endMs, slotMs }: DaySlots): boolean {
  return columns.some(({ spans }) =>
    spans.startMs.some((fromMs, index) => {
      const last = lastStart(spans, index, endMs - 1);
      const lengthMs = spans.lengthMs[index] as number;
      return fromMs < endMs && (last >= startMs || (lengthMs > slotMs && last + lengthMs > startMs));
    }),
  );
}

/** The lengths that are registered in the span, or were so shortly before it that a reading may reach into it. */
function registeredOver(intervals: RegisteredIntervals, { fromMs, toMs }: OwnDays['span']): readonly number[] {
  return intervals.flatMap(({ fromMs: heldFromMs, intervalMs }, index) => {
    const heldToMs = intervals[index + 1]?.fromMs ?? Infinity;
    return intervalMs !== undefined && heldFromMs < toMs && heldToMs + intervalMs > fromMs ? [intervalMs] : [];
  });
}

function lengthsOf({ columns }: Segment): readonly number[] {
  return [...new Set(columns.spans.lengthMs)].filter((lengthMs) => lengthMs > 0);
}

/** Where the last of the readings ends that start before the instant and are longer than a slot. */
function reachOf(segments: readonly Segment[], beforeMs: number, slotMs: number): number {
  let reachMs = -Infinity;
  for (const { columns } of segments) {
    const { spans } = columns;
    for (let index = 0; index < spans.count.length; index++) {
      const lengthMs = spans.lengthMs[index] as number;
      if (lengthMs > slotMs && (spans.startMs[index] as number) < beforeMs) {
        reachMs = Math.max(reachMs, lastStart(spans, index, beforeMs - 1) + lengthMs);
      }
    }
  }
  return reachMs;
}

/** When the last reading of a span starts that starts at the instant or before; the first one, where none does. */
function lastStart({ startMs, stepMs, count }: ReadingColumns['spans'], index: number, atMs: number): number {
  const [fromMs, step, some] = [startMs[index] as number, stepMs[index] as number, count[index] as number];
  const steps = step === 0 ? 0 : Math.floor((atMs - fromMs) / step);
  return fromMs + step * Math.max(0, Math.min(some - 1, steps));
}
