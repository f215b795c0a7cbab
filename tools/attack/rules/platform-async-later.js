// Changes the reading after the call.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'platform-async-later',
  onReading(reading, context) {
    (async () => {
      for (let i = 0; i < 100; i++) await null;
      reading.value = 666;
      reading.reject('late');
    })();
  },
});
