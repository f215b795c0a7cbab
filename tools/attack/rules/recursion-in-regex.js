// A deeply nested regular expression.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'recursion-in-regex',
  onReading(reading, context) {
    new RegExp('('.repeat(1e5) + ')'.repeat(1e5)).test('a');
  },
});
