// A text that doubles.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'memory-string-doubling',
  onReading(reading, context) {
    let text = 'x';
    for (;;) {
      text += text;
      [text].join('').charCodeAt(0);
    }
  },
});
