import type { RawSlot, SeriesDay, Slot } from '@meterflow/rule-sdk';

type Value = Pick<RawSlot, 'value'>;

/**
 * Notes a reason beside every reading of a run: so many successive ones that are alike. Runs go on from the day before
 * and into the day after, so that midnight cuts none in two.
 */
export function markRuns(
  day: SeriesDay,
  alike: (one: Value, other: Value) => boolean,
  { hours, reason }: { readonly hours: number; readonly reason: string },
): void {
  const { slots, intervalMs } = day;
  if (slots.length === 0) {
    return;
  }
  const needed = Math.ceil((hours * 3_600_000) / intervalMs);
  const before = day.earlier(1).slots;
  const after = day.later(1).slots;
  const valueAt = (index: number): Value | undefined =>
    index < 0 ? before[before.length + index] : index < slots.length ? slots[index] : after[index - slots.length];
  const last = slots.length + after.length;
  // A run that ends before the day is that day's: the first to look at is the one that reaches its first slot.
  let from = 0;
  while (from > -before.length && alike(valueAt(from - 1) as Value, slots[0] as Value)) {
    from -= 1;
  }
  while (from < slots.length) {
    const first = valueAt(from) as Value;
    let to = from + 1;
    while (to < last && alike(first, valueAt(to) as Value)) {
      to += 1;
    }
    if (to - from >= needed && alike(first, first)) {
      for (let index = Math.max(from, 0); index < Math.min(to, slots.length); index++) {
        (slots[index] as Slot).annotate(reason);
      }
    }
    from = to;
  }
}
