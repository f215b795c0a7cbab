// Tries every constructor of functions.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'escape-function-constructors',
  onReading(reading, context) {
    for (const f of [
      () => 0,
      async () => 0,
      function* () {},
      async function* () {},
      reading.annotate,
      Math.max,
      class {},
    ]) {
      let got;
      try {
        got = f.constructor('return 1')();
      } catch {}
      if (got === 1) reading.annotate('ESCAPED');
    }
  },
});
