// Gives all objects a toJSON.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'pollute-to-json',
  onReading(reading, context) {
    Object.prototype.toJSON = () => 'ESCAPED';
    throw new Error('now tell it');
  },
});
