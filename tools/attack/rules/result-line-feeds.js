// Labels with line feeds, which separate labels on their way.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'result-line-feeds',
  onReading(reading, context) {
    reading.method = 'a\nb';
    reading.annotate('c\u2028d');
  },
});
