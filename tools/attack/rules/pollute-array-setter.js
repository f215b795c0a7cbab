// Sets a trap at an index of all arrays.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'pollute-array-setter',
  onReading(reading, context) {
    Object.defineProperty(Array.prototype, 0, {
      set() {
        for (;;);
      },
      get: () => 'ESCAPED',
    });
  },
});
