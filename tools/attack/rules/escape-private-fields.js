// Reaches for the private fields of the reading through a proxy.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'escape-private-fields',
  onReading(reading, context) {
    const proxy = new Proxy(reading, {});
    proxy.value = 666;
  },
});
