// Flags the reading after each gap of a closed day with how many intervals are missing before it, and, where the gap
// reaches the end of the day, the reading before it. A day without any reading has none to flag: its aggregate counts 0.
// Source: validation of missing (null) intervals, in AEMO Metrology Procedure Part B.
import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'gap-check',
  parameters: {
    intervalsMax: {
      type: 'number',
      default: 0,
      min: 0,
      unit: 'intervals',
      help: 'Gaps of at most so many intervals are not flagged.',
    },
  },
  onSeries(day, { parameters: { intervalsMax } }) {
    const { slots, closed } = day;
    if (!closed) {
      return;
    }
    let missing = 0;
    slots.forEach((slot, index) => {
      if (slot.value === undefined) {
        missing += 1;
        return;
      }
      if (missing > intervalsMax) {
        slot.annotate(`gap-before:${missing}`);
      }
      missing = 0;
      const next = slots[index + 1];
      if (next?.value === undefined && slots.length - index - 1 > intervalsMax && restIsMissing(slots, index + 1)) {
        slot.annotate(`gap-after:${slots.length - index - 1}`);
      }
    });
  },
});

function restIsMissing(slots: readonly { readonly value: number | undefined }[], from: number): boolean {
  for (let index = from; index < slots.length; index++) {
    if (slots[index]?.value !== undefined) {
      return false;
    }
  }
  return true;
}
