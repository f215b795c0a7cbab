// Emits outside of its day, backwards, and with lengths that are none.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'series-emit-outside',
  needs: { lookBackDays: 1, lookAheadDays: 1, reads: ['export'], emits: ['net'] },
  onSeries(day) {
    for (const startMs of [-1, 0, NaN, Infinity, day.startMs - 1, day.endMs, 1e300, '0', {}, null])
      try {
        day.emit('net', { startMs, endMs: -startMs, value: 1 });
      } catch {}
  },
});
