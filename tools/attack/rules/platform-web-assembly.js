// Compiles WebAssembly.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'platform-web-assembly',
  onReading(reading, context) {
    const bytes = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]);
    new WebAssembly.Instance(new WebAssembly.Module(bytes));
    reading.annotate('ESCAPED');
  },
});
