// An endless loop over a day.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'series-loop',
  needs: { lookBackDays: 1, lookAheadDays: 1, reads: ['export'], emits: ['net'] },
  onSeries(day) {
    while (day.slots.length > 0);
  },
});
