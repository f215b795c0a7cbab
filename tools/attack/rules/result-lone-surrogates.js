// Labels that are no Unicode.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'result-lone-surrogates',
  onReading(reading, context) {
    reading.annotate('\ud800');
    reading.method = '\udfff\ud800';
  },
});
