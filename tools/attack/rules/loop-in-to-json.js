// toJSON that hands on another one with toJSON.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'loop-in-to-json',
  onReading(reading, context) {
    const again = () => ({ toJSON: again, next: { toJSON: again } });
    JSON.stringify([again()], (key, value) => (key === 'next' ? again() : { next: value }));
  },
});
