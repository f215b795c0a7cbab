// Imports a module of the host.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'escape-import',
  onReading(reading, context) {
    import('node:fs').then((fs) => fs.writeFileSync('/tmp/meterflow-escaped', ''));
    import('file:///etc/passwd').catch(() => 0);
  },
});
