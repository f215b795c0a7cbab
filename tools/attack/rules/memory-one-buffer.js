// One buffer of eight gigabytes.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'memory-one-buffer',
  onReading(reading, context) {
    new Uint8Array(2 ** 33).fill(1);
  },
});
