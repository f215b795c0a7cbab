// More labels than the columns can name.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'result-label-overflow',
  onReading(reading, context) {
    for (let i = 0; i < 70_000; i++) {
      try {
        reading.annotate('label ' + i);
      } catch {}
    }
  },
});
