// Leaves timers behind.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'platform-timers',
  onReading(reading, context) {
    for (const name of ['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask'])
      globalThis[name](() => {
        for (;;);
      }, 0);
  },
});
