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
    if (!day.closed) {
      return;
    }
    const values = day.values();
    let missing = 0;
    let last = -1;
    for (let index = 0; index < values.length; index++) {
      if (Number.isNaN(values[index])) {
        missing += 1;
        continue;
      }
      if (missing > intervalsMax) {
        day.slots[index]?.annotate(`gap-before:${missing}`);
      }
      missing = 0;
      last = index;
    }
    if (missing > intervalsMax) {
      day.slots[last]?.annotate(`gap-after:${missing}`);
    }
  },
});
