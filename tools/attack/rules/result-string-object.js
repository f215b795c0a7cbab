// Texts that are objects of String with a toString of their own.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'result-string-object',
  onReading(reading, context) {
    const text = new String('a');
    text.toString = () => '\n'.repeat(10);
    reading.annotate(text);
  },
});
