import { z } from 'zod';
import { instantMsMax } from './instants.ts';

/** What is stated of something in time: from each instant on a value, until the next one; null takes it back. Ascending. */
export type Timeline<Value> = readonly Statement<Value>[];
export type Statement<Value> = readonly [fromMs: number, value: Value | null];

/** Half-open. Without an end: until what is stated next. */
export interface Validity {
  readonly fromMs: number;
  readonly toMs?: number;
}

/** So often may one thing change. */
export const statementsMax = 200;

const instant = z.number().min(-instantMsMax).max(instantMsMax);

export function timelineSchema<Value>(value: z.ZodType<Value>): z.ZodType<Timeline<Value>> {
  return z
    .array(z.tuple([instant, value.nullable()]))
    .max(statementsMax)
    .refine((all) => all.every(([fromMs], index) => index === 0 || (all[index - 1]?.[0] as number) < fromMs), {
      message: 'not in ascending order',
    });
}

/** Undefined before the first statement, and where it was taken back. */
export function valueAt<Value>(timeline: Timeline<Value>, atMs: number): Value | undefined {
  return timeline.findLast(([fromMs]) => fromMs <= atMs)?.[1] ?? undefined;
}

/**
 * The timeline once a value (null: none) holds within the validity. What is stated to begin elsewhere stays as it is, so
 * that statements without an end are the same in any order; with an end, what held there goes on behind it.
 */
export function stated<Value>(
  timeline: Timeline<Value>,
  value: Value | null,
  { fromMs, toMs }: Validity,
): Timeline<Value> {
  const before = timeline.filter((each) => each[0] < fromMs);
  if (toMs === undefined) {
    return [...before, [fromMs, value], ...timeline.filter((each) => each[0] > fromMs)];
  }
  if (toMs <= fromMs) {
    return timeline;
  }
  const after = timeline.filter((each) => each[0] >= toMs);
  const goesOn =
    toMs >= instantMsMax || after[0]?.[0] === toMs ? [] : [[toMs, valueAt(timeline, toMs) ?? null] as const];
  return [...before, [fromMs, value], ...goesOn, ...after];
}

/** What is stated, without what says nothing new: at the beginning nothing holds. */
export function periodsOf<Value>(timeline: Timeline<Value>): readonly (Validity & { readonly value: Value })[] {
  const periods: { fromMs: number; toMs?: number; value: Value }[] = [];
  for (const [fromMs, value] of timeline) {
    const last = periods.at(-1);
    if (last !== undefined && last.toMs === undefined) {
      if (last.value === value) {
        continue;
      }
      last.toMs = fromMs;
    }
    if (value !== null) {
      periods.push({ fromMs, value });
    }
  }
  return periods;
}
