// A method of a hundred megabytes.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'result-huge-method',
  onReading(reading, context) {
    reading.method = 'x'.repeat(1e8);
  },
});
