// Texts that are objects which change from one look to the next.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'result-getter-texts',
  onReading(reading, context) {
    let looks = 0;
    reading.method = {
      get length() {
        return looks++;
      },
      toString() {
        return 'x'.repeat(looks * 1e6);
      },
    };
  },
});
