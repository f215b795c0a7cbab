// Honest for fifty readings, then an endless loop.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'loop-at-nth-reading',
  onReading(reading, context) {
    if (reading.startMs % (51 * 1_800_000) === 0) for (;;);
  },
});
