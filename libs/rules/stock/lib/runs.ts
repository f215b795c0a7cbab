import type { SeriesDay } from '@meterflow/rule-sdk';

/** Whether two values belong to one run. A gap is NaN, and alike to nothing. */
type Alike = (one: number, other: number) => boolean;

/**
 * Notes a reason beside every reading of a run: so many successive ones that are alike. Runs go on from the day before
 * and into the day after, so that midnight cuts none in two.
 */
export function markRuns(
  day: SeriesDay,
  alike: Alike,
  { hours, reason }: { readonly hours: number; readonly reason: string },
): void {
  const values = day.values();
  const { length } = values;
  if (length === 0) {
    return;
  }
  const needed = Math.ceil((hours * 3_600_000) / day.intervalMs);
  const before = alikeBefore(day.earlier(1).values(), values[0] as number, alike);
  const after = alikeAfter(day.later(1).values(), values[length - 1] as number, alike);
  for (let from = 0, to = 0; from < length; from = to) {
    const first = values[from] as number;
    to = from + 1;
    while (to < length && alike(first, values[to] as number)) {
      to += 1;
    }
    const count = to - from + (from === 0 ? before : 0) + (to === length ? after : 0);
    if (count >= needed && alike(first, first)) {
      day.slots.slice(from, to).forEach((slot) => {
        slot.annotate(reason);
      });
    }
  }
}

/** How many of the last values are alike to this one, which follows them. */
function alikeBefore(values: Float64Array, one: number, alike: Alike): number {
  let from = values.length;
  while (from > 0 && alike(one, values[from - 1] as number)) {
    from -= 1;
  }
  return values.length - from;
}

/** How many of the first values are alike to this one, which they follow. */
function alikeAfter(values: Float64Array, one: number, alike: Alike): number {
  let to = 0;
  while (to < values.length && alike(one, values[to] as number)) {
    to += 1;
  }
  return to;
}
