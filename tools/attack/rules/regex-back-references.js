// Back-references that try everything.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'regex-back-references',
  onReading(reading, context) {
    /^(.*)*(.*)*(.*)*\1\2\3x$/.test('ab'.repeat(5_000));
  },
});
