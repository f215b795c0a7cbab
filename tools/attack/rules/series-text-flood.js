// Another text of the greatest length on every slot, again and again.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'series-text-flood',
  needs: { lookBackDays: 1, lookAheadDays: 1, reads: ['export'], emits: ['net'] },
  onSeries(day) {
    for (let round = 0; ; round++)
      day.slots.forEach((slot, index) => {
        if (slot.value !== undefined) slot.annotate(String(round * 100 + index).padEnd(200, 'x'));
      });
  },
});
