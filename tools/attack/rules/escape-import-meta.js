// Asks where it is.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'escape-import-meta',
  onReading(reading) {
    reading.annotate(import.meta.dirname ?? 'x');
  },
});
