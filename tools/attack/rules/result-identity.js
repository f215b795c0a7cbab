// Makes its readings those of another meter and time.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'result-identity',
  onReading(reading, context) {
    reading.meter = 'another';
    reading.startMs = 0;
    reading.channel = 'export';
  },
});
