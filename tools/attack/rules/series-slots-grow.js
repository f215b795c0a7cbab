// Makes the list of slots longer, and other slots of it.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'series-slots-grow',
  needs: { lookBackDays: 1, lookAheadDays: 1, reads: ['export'], emits: ['net'] },
  onSeries(day) {
    try {
      day.slots.push(day.slots[0]);
    } catch {}
    try {
      day.slots.length = 2 ** 32 - 1;
    } catch {}
    try {
      day.slots[0] = { value: 1, startMs: 0 };
    } catch {}
    Object.setPrototypeOf(day.slots, {
      forEach() {
        for (;;);
      },
    });
  },
});
