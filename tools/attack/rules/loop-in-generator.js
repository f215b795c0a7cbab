// A generator without end, spread.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'loop-in-generator',
  onReading(reading, context) {
    Math.max(
      ...(function* () {
        for (;;) yield 1;
      })(),
    );
  },
});
