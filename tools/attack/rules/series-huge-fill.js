// Fills with texts without end.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'series-huge-fill',
  needs: { lookBackDays: 1, lookAheadDays: 1, reads: ['export'], emits: ['net'] },
  onSeries(day) {
    const long = 'x'.repeat(2 ** 28);
    day.slots.forEach(
      (slot) => slot.value === undefined && slot.fill(1, { method: long, reason: long, unit: long, quality: long }),
    );
  },
});
