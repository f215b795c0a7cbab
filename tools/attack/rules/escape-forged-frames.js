// Writes frames of its own to the pipe of its child.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'escape-forged-frames',
  onReading(reading, context) {
    try {
      process.stdout.write(new Uint8Array(64));
      reading.annotate('ESCAPED');
    } catch {}
    try {
      require('fs').writeSync(1, new Uint8Array(64));
      reading.annotate('ESCAPED');
    } catch {}
    try {
      process.binding('fs').writeBuffer(1, new Uint8Array(64), 0, 64, null);
      reading.annotate('ESCAPED');
    } catch {}
    reading.annotate('\u0040\u0000');
  },
});
