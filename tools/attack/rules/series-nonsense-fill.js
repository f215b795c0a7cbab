// Fills with everything that is no number.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'series-nonsense-fill',
  needs: { lookBackDays: 1, lookAheadDays: 1, reads: ['export'], emits: ['net'] },
  onSeries(day) {
    const values = [
      NaN,
      Infinity,
      -Infinity,
      2 ** 53,
      '1',
      null,
      undefined,
      {},
      [],
      1n,
      Symbol('x'),
      {
        valueOf() {
          for (;;);
        },
      },
    ];
    day.slots
      .filter((slot) => slot.value === undefined)
      .forEach((slot, index) => {
        slot.fill(values[index % values.length]);
      });
  },
});
