// A comparator that never decides.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'loop-in-sort-comparator',
  onReading(reading, context) {
    [3, 2, 1].sort(() => {
      for (;;);
    });
  },
});
