// Is async.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'result-promise',
  onReading(reading, context) {
    return (async () => {
      reading.value = 1;
    })();
  },
});
