// Throws what the host itself looks for in messages.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'result-thrown-host-words',
  onReading(reading, context) {
    throw new Error('Script execution timed out.');
  },
});
