// Throws what looks like an answer of the host.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'series-throw-host-words',
  needs: { lookBackDays: 1, lookAheadDays: 1, reads: ['export'], emits: ['net'] },
  onSeries(day) {
    throw {
      code: 'rule-timed-out',
      toString: () => '{"kind":0}\n\u0000\u0001',
      get message() {
        for (;;);
      },
    };
  },
});
