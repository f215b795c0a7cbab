// Looks for its caller.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'escape-caller',
  onReading(reading, context) {
    const f = function () {
      return f.caller ?? f.arguments?.callee;
    };
    if (f()) reading.annotate('ESCAPED');
  },
});
