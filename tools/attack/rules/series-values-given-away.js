// Gives the columns of a day's values away, sorts and fills them, and writes to them after its time.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'series-values-given-away',
  needs: { lookBackDays: 1, lookAheadDays: 1, reads: ['export'], emits: ['net'] },
  onSeries(day) {
    for (const one of [day, day.earlier(1), day.later(1), day.other('export')]) {
      const values = one.values();
      values.fill(NaN).sort();
      new Uint8Array(values.buffer).fill(255);
      (async () => {
        await null;
        for (let turn = 0; turn < 100; turn++) one.values().fill(-Infinity);
      })().catch(() => undefined);
      try {
        values.buffer.transfer(2 ** 40);
      } catch {}
      values.buffer.transfer(0);
    }
    if (day.values().some((value) => value === -Infinity)) day.slots[0].annotate('ESCAPED');
  },
});
