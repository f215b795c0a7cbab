// Waits on memory that it got by another door.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'platform-atomics-buffer',
  onReading(reading, context) {
    const memory = new (Object.getPrototypeOf(Int8Array.prototype).constructor)(8);
    Atomics.wait(memory, 0, 0);
  },
});
