// A proxy whose trap never answers.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'loop-in-proxy-trap',
  onReading(reading, context) {
    Object.keys(
      new Proxy(
        {},
        {
          ownKeys() {
            for (;;);
          },
        },
      ),
    );
  },
});
