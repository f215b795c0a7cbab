// Replaces exec and the splitting of texts.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'pollute-regexp',
  onReading(reading, context) {
    RegExp.prototype.exec = () => ['ESCAPED'];
    String.prototype.split = () => ['ESCAPED'];
    RegExp.prototype[Symbol.replace] = () => 'ESCAPED';
  },
});
