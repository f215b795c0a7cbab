// Emits on channels that it never named.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'series-emit-everywhere',
  needs: { lookBackDays: 1, lookAheadDays: 1, reads: ['export'], emits: ['net'] },
  onSeries(day) {
    for (const channel of ['import', 'export', '__proto__', 'constructor', '', '../other'])
      try {
        day.emit(channel, { startMs: day.startMs, value: 1 });
      } catch {}
  },
});
