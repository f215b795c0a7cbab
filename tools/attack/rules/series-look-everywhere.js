// Asks for days and channels that it did not name, with arguments that are none.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'series-look-everywhere',
  needs: { lookBackDays: 1, lookAheadDays: 1, reads: ['export'], emits: ['net'] },
  onSeries(day) {
    for (const days of [-1, 2, 400, NaN, Infinity, 0.5, '1', {}, [], 2 ** 53, -(2 ** 53)]) {
      try {
        day.earlier(days);
      } catch {}
      try {
        day.later(days);
      } catch {}
      try {
        day.other('export', days);
      } catch {}
    }
    for (const name of ['import', '__proto__', 'secret'])
      try {
        day.other(name);
      } catch {}
  },
});
