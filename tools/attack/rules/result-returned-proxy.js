// Returns a proxy that counts who looks at it.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'result-returned-proxy',
  onReading(reading, context) {
    return new Proxy(
      {},
      {
        get() {
          throw new Error('trap');
        },
        ownKeys() {
          throw new Error('trap');
        },
      },
    );
  },
});
