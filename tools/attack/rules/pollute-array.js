// Replaces the methods of arrays that a host may read back by.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'pollute-array',
  onReading(reading, context) {
    Array.prototype.push = function () {
      return 0;
    };
    Array.prototype[Symbol.iterator] = function* () {
      yield 'x';
    };
  },
});
