// Takes all memory before it is defined.

import { defineRule } from '@meterflow/rule-sdk';

const all = [];
for (;;) all.push(new Array(10_000).fill(1));

export default defineRule({
  name: 'memory-at-top-level',
  onReading(reading, context) {},
});
