// Two loops that jump into each other.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'loop-labelled',
  onReading(reading, context) {
    outer: for (;;) {
      for (;;) continue outer;
    }
  },
});
