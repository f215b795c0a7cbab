// A text of half a gigabyte in each reading.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'memory-string-repeat',
  onReading(reading, context) {
    reading.annotate('x'.repeat(2 ** 29 - 25));
  },
});
