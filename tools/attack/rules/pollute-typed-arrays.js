// Replaces the methods of typed arrays.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'pollute-typed-arrays',
  onReading(reading, context) {
    Object.getPrototypeOf(Int8Array.prototype).fill = () => 0;
    Float64Array.prototype.set = () => 0;
  },
});
