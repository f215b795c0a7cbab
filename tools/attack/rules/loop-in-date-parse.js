// Dates parsed for ever.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'loop-in-date-parse',
  onReading(reading, context) {
    for (let i = 0; ; i = (i + 1) % 1000) new Date(`2024-01-01T00:00:00.${i}Z`).getTime();
  },
});
