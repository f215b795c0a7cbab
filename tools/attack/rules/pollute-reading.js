// Swaps the accessors of the reading.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'pollute-reading',
  onReading(reading, context) {
    Object.defineProperty(reading, 'value', { get: () => NaN });
    Object.defineProperty(Object.getPrototypeOf(reading), 'value', { get: () => NaN });
  },
});
