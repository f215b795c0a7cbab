// Getters that ask each other for ever, caught each time.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'loop-in-getter-recursion',
  onReading(reading, context) {
    const a = {
      get b() {
        try {
          return a.b;
        } catch {
          return a.b;
        }
      },
    };
    a.b;
  },
});
