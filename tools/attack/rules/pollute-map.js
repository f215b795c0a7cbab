// Replaces the methods of maps.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'pollute-map',
  onReading(reading, context) {
    Map.prototype.get = () => 65_535;
    Map.prototype.set = () => undefined;
    reading.annotate('y');
  },
});
