// A power of BigInts.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'memory-bigint-power',
  onReading(reading, context) {
    7n ** (7n ** 9n);
  },
});
