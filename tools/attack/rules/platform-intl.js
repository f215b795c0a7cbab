// Takes the locale and the time zone of the host.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'platform-intl',
  onReading(reading, context) {
    reading.annotate(new Intl.DateTimeFormat().resolvedOptions().timeZone + (1.5).toLocaleString());
  },
});
