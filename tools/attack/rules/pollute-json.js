// Replaces JSON.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'pollute-json',
  onReading(reading, context) {
    JSON.stringify = () => '[{"index":1e9,"step":-1,"code":"x","message":{}}]';
    JSON.parse = () => ({});
  },
});
