// Objects nested for ever.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'memory-nested-objects',
  onReading(reading, context) {
    let o = {};
    for (;;) o = { o };
  },
});
