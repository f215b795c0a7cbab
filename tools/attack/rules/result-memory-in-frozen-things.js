// Looks for a place to remember in what is given.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'result-memory-in-frozen-things',
  onReading(reading, context) {
    try {
      context.seen = (context.seen ?? 0) + 1;
    } catch {}
    try {
      reading.seen = 1;
    } catch {}
    try {
      defineRule.seen = (defineRule.seen ?? 0) + 1;
    } catch {}
    if (context.seen > 1 || reading.seen || defineRule.seen > 1) reading.annotate('ESCAPED');
  },
});
