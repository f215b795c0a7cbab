// A map without end.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'memory-map',
  onReading(reading, context) {
    const all = new Map();
    for (let i = 0; ; i++) all.set(i, { i });
  },
});
