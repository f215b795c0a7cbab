// Floods the log.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'platform-console',
  onReading(reading, context) {
    for (let i = 0; i < 1e6; i++) console.log('x'.repeat(1_000));
  },
});
