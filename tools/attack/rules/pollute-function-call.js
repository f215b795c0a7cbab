// Replaces call and apply.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'pollute-function-call',
  onReading(reading, context) {
    Function.prototype.call = () => 'ESCAPED';
    Function.prototype.apply = () => 'ESCAPED';
  },
});
