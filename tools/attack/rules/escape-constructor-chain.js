// Goes up constructors to the host.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'escape-constructor-chain',
  onReading(reading, context) {
    const found = this?.constructor?.constructor ?? reading.constructor.constructor;
    reading.annotate(typeof found('return process')() === 'object' ? 'ESCAPED' : 'x');
  },
});
