// Asks for the frames of the host through prepareStackTrace.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'escape-prepare-stack-trace',
  onReading(reading, context) {
    Error.prepareStackTrace = (error, frames) => frames;
    const [frame] = new Error().stack;
    if (frame.getFunction?.() || frame.getThis?.()) reading.annotate('ESCAPED');
  },
});
