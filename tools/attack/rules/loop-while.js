// An endless loop.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'loop-while',
  onReading(reading, context) {
    while (true);
  },
});
