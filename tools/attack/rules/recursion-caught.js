// Recursion that begins again each time the stack is full.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'recursion-caught',
  onReading(reading, context) {
    const f = () => {
      try {
        f();
      } finally {
        f();
      }
    };
    f();
  },
});
