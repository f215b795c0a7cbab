// Replaces the species of arrays and promises.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'pollute-species',
  onReading(reading, context) {
    Object.defineProperty(Array, Symbol.species, {
      value: function () {
        return globalThis;
      },
    });
  },
});
