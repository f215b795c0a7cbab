// Adds to the prototype of all objects.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'pollute-object',
  onReading(reading, context) {
    Object.prototype.changes = 255;
    Object.prototype.any = 255;
  },
});
