// Replaces the globals.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'pollute-globals',
  onReading(reading, context) {
    globalThis.Uint8Array = Array;
    globalThis.Object = undefined;
    globalThis.undefined = 1;
  },
});
