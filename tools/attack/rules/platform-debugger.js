// Stops in a debugger that is not there.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'platform-debugger',
  onReading(reading, context) {
    debugger;
    inspector.open();
  },
});
