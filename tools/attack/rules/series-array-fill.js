// new Array(2**27).fill(0) in a day.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'series-array-fill',
  needs: { lookBackDays: 1, lookAheadDays: 1, reads: ['export'], emits: ['net'] },
  onSeries(day) {
    day.slots[0].annotate(String(new Array(2 ** 27).fill(0).length));
  },
});
