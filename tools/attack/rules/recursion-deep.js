// Recursion without end.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'recursion-deep',
  onReading(reading, context) {
    const f = () => f() + 1;
    f();
  },
});
