// Deep JSON.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'recursion-in-json',
  onReading(reading, context) {
    JSON.parse('['.repeat(1e6) + ']'.repeat(1e6));
  },
});
