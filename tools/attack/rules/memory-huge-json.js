// JSON that grows fourfold at each turn.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'memory-huge-json',
  onReading(reading, context) {
    let o = 'x';
    for (;;) o = JSON.stringify([o, o, o, o]).concat(JSON.stringify(JSON.parse(JSON.stringify({ o }))));
  },
});
