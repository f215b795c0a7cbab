// Fills short gaps of a closed day on the straight line between the values before and after them: of n missing values the
// i-th is i/(n+1) of the way. Gaps of up to two hours, also over midnight; longer ones are left to another rule.
// Source: linear interpolation of gaps of up to two hours, in California's Standards for Validating, Editing, and
// Estimating Monthly and Interval Data; substitution by linear interpolation in AEMO Metrology Procedure Part B.
import { defineRule, type RawSlot, type SeriesDay, type Slot } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'fill-linear',
  needs: { lookBackDays: 1, lookAheadDays: 1 },
  parameters: {
    hoursMax: { type: 'number', default: 2, min: 0, max: 24, unit: 'h', help: 'Longer gaps are not filled.' },
  },
  onSeries(day, { parameters }) {
    const { slots, intervalMs } = day;
    const missingMax = (parameters.hoursMax * 3_600_000) / intervalMs;
    let from = slots.findIndex(({ value }) => value === undefined);
    while (from >= 0 && from < slots.length) {
      let to = from + 1;
      while (to < slots.length && slots[to]?.value === undefined) {
        to += 1;
      }
      fillGap(day, { from, to, missingMax });
      do {
        to += 1;
      } while (to < slots.length && slots[to]?.value !== undefined);
      from = to;
    }
  },
});

/** Fills the slots from and to (not with) these indexes, none of which has a value. */
function fillGap(
  day: SeriesDay,
  { from, to, missingMax }: { readonly from: number; readonly to: number; readonly missingMax: number },
): void {
  const { slots } = day;
  const before = from === 0 ? lastOf(day.earlier(1).slots) : { value: slots[from - 1]?.value, missing: 0 };
  const after = to === slots.length ? firstOf(day.later(1).slots) : { value: slots[to]?.value, missing: 0 };
  const missing = before.missing + to - from + after.missing;
  if (before.value === undefined || after.value === undefined || missing > missingMax) {
    return;
  }
  const step = (after.value - before.value) / (missing + 1);
  for (let index = from; index < to; index++) {
    const value = before.value + step * (before.missing + index - from + 1);
    (slots[index] as Slot).fill(value, { method: 'linear-interpolation' });
  }
}

/** The value next to a gap that reaches into another day, and how much of that day is missing up to it. */
interface Edge {
  readonly value: number | undefined;
  readonly missing: number;
}

function firstOf(slots: readonly RawSlot[]): Edge {
  const index = slots.findIndex(({ value }) => value !== undefined);
  return { value: slots[index]?.value, missing: index };
}

function lastOf(slots: readonly RawSlot[]): Edge {
  const index = slots.findLastIndex(({ value }) => value !== undefined);
  return { value: slots[index]?.value, missing: slots.length - 1 - index };
}
