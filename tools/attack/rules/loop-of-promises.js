// Promises that resolve each other.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'loop-of-promises',
  onReading(reading, context) {
    const next = () => Promise.resolve().then(next);
    (async () => {
      for (;;) {
        await 0;
        (async () => {
          for (;;) await 1;
        })();
      }
    })();
  },
});
