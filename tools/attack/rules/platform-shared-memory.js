// Shared memory and a wait on it.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'platform-shared-memory',
  onReading(reading, context) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  },
});
