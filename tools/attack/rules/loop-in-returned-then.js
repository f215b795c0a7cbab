// Returns a thenable whose then loops.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'loop-in-returned-then',
  onReading(reading, context) {
    return {
      get then() {
        for (;;);
      },
    };
  },
});
