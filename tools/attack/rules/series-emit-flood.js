// Emits more readings than a day can hold.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'series-emit-flood',
  needs: { lookBackDays: 1, lookAheadDays: 1, reads: ['export'], emits: ['net'] },
  onSeries(day) {
    for (let at = day.startMs; ; at += 1)
      day.emit('net', { startMs: day.startMs + (at % (day.endMs - day.startMs)), endMs: day.endMs, value: 1 });
  },
});
