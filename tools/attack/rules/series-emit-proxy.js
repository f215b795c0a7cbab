// An emission that is a proxy whose traps never end.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'series-emit-proxy',
  needs: { lookBackDays: 1, lookAheadDays: 1, reads: ['export'], emits: ['net'] },
  onSeries(day) {
    day.emit(
      'net',
      new Proxy(
        {},
        {
          get() {
            for (;;);
          },
          has() {
            for (;;);
          },
          ownKeys() {
            for (;;);
          },
        },
      ),
    );
  },
});
