// An async function that goes on after its day.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'series-async',
  needs: { lookBackDays: 1, lookAheadDays: 1, reads: ['export'], emits: ['net'] },
  onSeries(day) {
    return (async () => {
      for (;;) await null;
    })();
  },
});
