// Works for just less time than a batch may take, again and again.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'exactly-at-the-limit',
  onReading(reading, context) {
    for (let i = 0; i < 3e6; i++) reading.value + i;
  },
});
