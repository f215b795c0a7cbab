// Microtasks that never end.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'loop-of-microtasks',
  onReading(reading, context) {
    (async () => {
      for (;;) await null;
    })();
  },
});
