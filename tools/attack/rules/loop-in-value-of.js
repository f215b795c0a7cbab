// A value whose valueOf loops.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'loop-in-value-of',
  onReading(reading, context) {
    reading.value =
      {
        valueOf() {
          for (;;);
        },
      } * 2;
  },
});
