// Returns results of the wrong size.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'result-returned-array',
  onReading(reading, context) {
    return new Array(1e6).fill({ value: 1, meter: 'another' });
  },
});
