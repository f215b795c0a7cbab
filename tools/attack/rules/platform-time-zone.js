// Reads the time zone from a date.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'platform-time-zone',
  onReading(reading, context) {
    if (new Date(0).getTimezoneOffset() !== 0) reading.annotate('ESCAPED');
  },
});
