// Throws something that loops when it becomes a text.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'loop-in-thrown-to-string',
  onReading(reading, context) {
    throw {
      get message() {
        return 1;
      },
      toString() {
        for (;;);
      },
    };
  },
});
