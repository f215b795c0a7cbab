// A buffer that is resized to all there is.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'memory-resizable-buffer',
  onReading(reading, context) {
    const b = new ArrayBuffer(8, { maxByteLength: 2 ** 32 });
    b.resize(2 ** 32);
    new Uint8Array(b).fill(1);
  },
});
