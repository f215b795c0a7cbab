// Makes readings of its own with a cursor of its own.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'escape-constructor-of-reading',
  onReading(reading, context) {
    const Reading = reading.constructor;
    const cursor = {
      values: [],
      index: 2 ** 31,
      nonsense: (text) => {
        throw new Error(text);
      },
      mark: () => reading.annotate('ESCAPED'),
    };
    new Reading(cursor).value = 1;
  },
});
