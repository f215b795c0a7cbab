// Honest on open days, an endless loop on closed ones.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'series-loop-at-one-day',
  needs: { lookBackDays: 1, lookAheadDays: 1, reads: ['export'], emits: ['net'] },
  onSeries(day) {
    if (day.closed) for (;;);
  },
});
