// Looks for a place to remember on the methods and getters of what it is given.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'series-memory-on-methods',
  needs: { lookBackDays: 1, lookAheadDays: 1, reads: ['export'], emits: ['net'] },
  onSeries(day) {
    const places = [day, day.earlier(1), day.slots[0], day.values(), day.values().buffer, day.earlier(1).values()];
    for (const place of places)
      for (let holder = place; holder; holder = Object.getPrototypeOf(holder))
        for (const { get, set, value } of Object.values(Object.getOwnPropertyDescriptors(holder)))
          for (const each of [holder, get, set, value])
            try {
              if (each.seen) day.slots[0].annotate('ESCAPED');
              each.seen = true;
            } catch {}
  },
});
