// Emissions whose fields are getters that answer differently each time.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'series-emit-getters',
  needs: { lookBackDays: 1, lookAheadDays: 1, reads: ['export'], emits: ['net'] },
  onSeries(day) {
    let n = 0;
    day.emit('net', {
      get startMs() {
        return n++ % 2 ? day.startMs : NaN;
      },
      get value() {
        return n++ % 2 ? 1 : {};
      },
      get unit() {
        return n++ % 3 ? 'kWh' : 'x'.repeat(2 ** 20);
      },
    });
  },
});
