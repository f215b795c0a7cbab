// Qualities that are not its to set.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'result-missing-quality',
  onReading(reading, context) {
    reading.quality = 'missing';
  },
});
