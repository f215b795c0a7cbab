// A sparse array joined.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'memory-sparse-array',
  onReading(reading, context) {
    const a = [];
    a[2 ** 32 - 2] = 1;
    a.join(',');
  },
});
