// Looks for the process, its modules and its pipe.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'escape-process',
  onReading(reading, context) {
    for (const name of [
      'process',
      'require',
      'module',
      'Buffer',
      'global',
      'ivm',
      'isolate',
      '$0',
      '$1',
      'parts',
      'cursor',
      'columns',
      'memory',
    ]) {
      let got;
      try {
        got = Reflect.get(globalThis, name);
      } catch {}
      if (got !== undefined) reading.annotate('ESCAPED');
    }
  },
});
