// Throws something whose message never ends.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'loop-in-thrown-message',
  onReading(reading, context) {
    throw {
      get message() {
        for (;;);
      },
    };
  },
});
