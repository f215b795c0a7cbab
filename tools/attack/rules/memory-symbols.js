// Symbols registered for ever.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'memory-symbols',
  onReading(reading, context) {
    for (let i = 0; ; i++) Symbol.for('a symbol of its own ' + i);
  },
});
