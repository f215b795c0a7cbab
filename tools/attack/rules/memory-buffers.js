// Buffers outside the heap, for ever.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'memory-buffers',
  onReading(reading, context) {
    const all = [];
    for (;;) all.push(new Uint8Array(2 ** 24).fill(1));
  },
});
