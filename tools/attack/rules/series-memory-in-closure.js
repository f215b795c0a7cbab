// Keeps days in its module, to write to them after their time.

import { defineRule } from '@meterflow/rule-sdk';

const kept = [];

export default defineRule({
  name: 'series-memory-in-closure',
  needs: { lookBackDays: 1, lookAheadDays: 1, reads: ['export'], emits: ['net'] },
  onSeries(day) {
    kept.push(day.slots);
    for (const slots of kept) for (const slot of slots) if (slot.value !== undefined) slot.value += 1;
  },
});
