// Looks for randomness.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'platform-randomness',
  onReading(reading, context) {
    reading.value = Math.random() + crypto.getRandomValues(new Uint8Array(1))[0];
  },
});
