// Looks for a clock through a subclass of Date and Reflect.construct.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'platform-clock-by-subclass',
  onReading(reading, context) {
    class Now extends Date {}
    const found = [
      () => new Now(),
      () => Reflect.construct(Date, []),
      () => Reflect.construct(new Date(0).constructor, [], Object),
    ];
    for (const find of found) {
      let ms = 0;
      try {
        ms = +find();
      } catch {}
      if (ms > 0) reading.annotate('ESCAPED');
    }
  },
});
