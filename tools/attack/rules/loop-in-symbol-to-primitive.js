// A value that loops on its way to a primitive.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'loop-in-symbol-to-primitive',
  onReading(reading, context) {
    reading.value = +{
      [Symbol.toPrimitive]() {
        for (;;);
      },
    };
  },
});
