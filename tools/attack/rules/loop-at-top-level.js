// An endless loop before the rule is even defined.

import { defineRule } from '@meterflow/rule-sdk';

for (;;);

export default defineRule({
  name: 'loop-at-top-level',
  onReading(reading, context) {},
});
