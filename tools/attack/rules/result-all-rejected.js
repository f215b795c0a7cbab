// Rejects all it sees, with a reason of its own each.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'result-all-rejected',
  onReading(reading, context) {
    reading.reject('no ' + reading.startMs);
  },
});
