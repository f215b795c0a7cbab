// Values that are none.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'result-not-a-number',
  onReading(reading, context) {
    reading.value = [NaN, Infinity, 2 ** 60, '1', null, undefined, {}, 1n, Symbol('x')][
      (reading.startMs / 1_800_000) % 9
    ];
  },
});
