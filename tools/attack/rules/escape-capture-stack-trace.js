// The same through captureStackTrace.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'escape-capture-stack-trace',
  onReading(reading, context) {
    const seen = {};
    Error.captureStackTrace(seen);
    if (typeof seen.stack !== 'string') reading.annotate('ESCAPED');
    Error.stackTraceLimit = Infinity;
  },
});
