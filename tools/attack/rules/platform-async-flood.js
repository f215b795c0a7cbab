// A flood of rejected promises.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'platform-async-flood',
  onReading(reading, context) {
    for (let i = 0; i < 20_000; i++)
      (async () => {
        throw new Error('unhandled ' + i);
      })();
  },
});
