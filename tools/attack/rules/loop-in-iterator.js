// An iterator without end.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'loop-in-iterator',
  onReading(reading, context) {
    for (const one of { [Symbol.iterator]: () => ({ next: () => ({ done: false, value: 0 }) }) }) reading.value + one;
  },
});
