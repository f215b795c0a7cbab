// Leaves code to the garbage collector.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'platform-finalizers',
  onReading(reading, context) {
    new FinalizationRegistry(() => {
      for (;;);
    }).register({}, 0);
    new WeakRef({});
  },
});
