// Changes the classes of slots and days for all who come after.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'series-prototypes',
  needs: { lookBackDays: 1, lookAheadDays: 1, reads: ['export'], emits: ['net'] },
  onSeries(day) {
    for (const thing of [day, day.slots, day.slots[0], day.earlier(1), day.other('export')]) {
      const proto = Object.getPrototypeOf(thing);
      for (const key of Object.getOwnPropertyNames(proto))
        try {
          Object.defineProperty(proto, key, {
            value: () => {
              throw new Error('polluted');
            },
          });
        } catch {}
    }
  },
});
