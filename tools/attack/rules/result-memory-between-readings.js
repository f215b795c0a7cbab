// Remembers from one reading to the next.

import { defineRule } from '@meterflow/rule-sdk';

let count = 0;

export default defineRule({
  name: 'result-memory-between-readings',
  onReading(reading, context) {
    reading.value = count++;
  },
});
