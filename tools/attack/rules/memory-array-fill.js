// One huge array, filled.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'memory-array-fill',
  onReading(reading, context) {
    new Array(2 ** 27).fill(0);
  },
});
