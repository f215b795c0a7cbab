// Arrays pushed for ever.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'memory-array-push',
  onReading(reading, context) {
    const all = [];
    for (;;) all.push(new Array(1_000).fill(all.length));
  },
});
