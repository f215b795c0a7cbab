// An error whose cause is itself, printed at full stack.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'recursion-in-error',
  onReading(reading, context) {
    const f = () => {
      try {
        f();
      } catch (error) {
        error.cause = error;
        throw error;
      }
    };
    f();
  },
});
