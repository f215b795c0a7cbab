// Returns a thenable.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'result-thenable',
  onReading(reading, context) {
    return {
      then(done) {
        done({ value: 1 });
      },
    };
  },
});
