// A regular expression of a million groups.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'memory-regex-groups',
  onReading(reading, context) {
    new RegExp('(a)|'.repeat(1_000_000)).test('b');
  },
});
