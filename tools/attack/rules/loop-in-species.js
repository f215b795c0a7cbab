// A species constructor that loops.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'loop-in-species',
  onReading(reading, context) {
    class Slow extends Array {
      static get [Symbol.species]() {
        for (;;);
      }
    }
    new Slow(1, 2, 3).map((x) => x);
  },
});
