// A BigInt shifted by a billion.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'memory-bigint-shift',
  onReading(reading, context) {
    let n = 1n;
    for (;;) n = (n << 100_000_000n) | n;
  },
});
