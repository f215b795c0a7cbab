// A replacer of JSON that always has more.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'loop-in-replacer',
  onReading(reading, context) {
    JSON.stringify({}, (key, value) => ({ value }));
  },
});
