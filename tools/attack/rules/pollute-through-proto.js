// Writes through __proto__ of what it is given.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'pollute-through-proto',
  onReading(reading, context) {
    reading.__proto__.annotate = () => 0;
    context.__proto__.polluted = 1;
    context.parameters.__proto__ = null;
  },
});
