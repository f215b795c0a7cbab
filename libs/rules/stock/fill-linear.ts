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
  const before = from === 0 ? lastOf(day.earlier(1).slots) : edgeAt(slots, from - 1);
  const after = to === slots.length ? firstOf(day.later(1).slots) : edgeAt(slots, to);
  const missing = before.missing + to - from + after.missing;
  if (before.value === undefined || after.value === undefined || missing > missingMax) {
    return;
  }
  // An earlier rule may have changed the unit, and days around are as they came.
  const { unit } = before;
  if (unit !== after.unit) {
    return;
  }
  const step = (after.value - before.value) / (missing + 1);
  for (let index = from; index < to; index++) {
    const value = before.value + step * (before.missing + index - from + 1);
    (slots[index] as Slot).fill(value, { method: 'linear-interpolation', unit });
  }
}

/** The value next to a gap, and how much of another day is missing up to it where the gap reaches into that. */
interface Edge {
  readonly value: number | undefined;
  readonly unit: string;
  readonly missing: number;
}

function firstOf(slots: readonly RawSlot[]): Edge {
  const index = slots.findIndex(({ value }) => value !== undefined);
  return { ...edgeAt(slots, index), missing: index };
}

function lastOf(slots: readonly RawSlot[]): Edge {
  const index = slots.findLastIndex(({ value }) => value !== undefined);
  return { ...edgeAt(slots, index), missing: slots.length - 1 - index };
}

function edgeAt(slots: readonly Pick<RawSlot, 'value' | 'unit'>[], index: number): Edge {
  const slot = slots[index];
  return { value: slot?.value, unit: slot?.unit ?? '', missing: 0 };
}
