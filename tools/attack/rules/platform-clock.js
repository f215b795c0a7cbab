// Looks for a clock.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'platform-clock',
  onReading(reading, context) {
    const now = Date.now?.() ?? new Date().getTime();
    if (now > 0) reading.annotate('ESCAPED');
  },
});
