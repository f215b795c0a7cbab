// An endless loop that only continues.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'loop-do-continue',
  onReading(reading, context) {
    do {
      continue;
    } while (true);
  },
});
