// Closures that keep each other.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'memory-closures',
  onReading(reading, context) {
    let f = () => 0;
    for (;;) {
      const g = f;
      f = () => g;
    }
  },
});
