// Fills the same gap for ever.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'series-fill-flood',
  needs: { lookBackDays: 1, lookAheadDays: 1, reads: ['export'], emits: ['net'] },
  onSeries(day) {
    for (;;) day.slots.forEach((slot) => slot.value === undefined && slot.fill(1));
  },
});
