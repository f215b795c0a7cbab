// Throws messages of a million characters at each reading.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'result-thrown-flood',
  onReading(reading, context) {
    throw new Error('x'.repeat(1e6) + '\u001b[2J');
  },
});
