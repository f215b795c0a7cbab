// A label of its own for each reading, and a hundred more.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'result-label-flood',
  onReading(reading, context) {
    for (let i = 0; i < 100; i++) {
      reading.method = `method ${reading.startMs} ${i}`;
      reading.annotate(`reason ${reading.startMs} ${i}`);
    }
  },
});
