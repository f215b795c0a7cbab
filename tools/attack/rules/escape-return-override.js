// Puts private fields on objects of its own by a constructor that returns them.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'escape-return-override',
  onReading(reading, context) {
    class Stamp extends reading.constructor {
      constructor(onto) {
        super(onto);
        return onto;
      }
    }
    new Stamp({ values: new Float64Array(1), index: 0, mark() {}, nonsense: Error }).value = 5;
  },
});
