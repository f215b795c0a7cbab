// Catastrophic back-tracking.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'regex-back-tracking',
  onReading(reading, context) {
    /^(a+)+$/.test('a'.repeat(60) + 'b');
  },
});
