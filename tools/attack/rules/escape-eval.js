// Code from text.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'escape-eval',
  onReading(reading, context) {
    let got = 0;
    try {
      got = eval('1');
    } catch {}
    try {
      got = (0, eval)('1');
    } catch {}
    try {
      got = new Function('return 1')();
    } catch {}
    if (got === 1) reading.annotate('ESCAPED');
  },
});
