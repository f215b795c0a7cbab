// Calls the accessors of the reading on objects of its own.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'escape-foreign-this',
  onReading(reading, context) {
    const { set } = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(reading), 'value');
    set.call({ values: [1], index: 0 }, 1);
  },
});
