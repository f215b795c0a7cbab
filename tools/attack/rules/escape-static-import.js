// Imports a module of the host at the top.

import { defineRule } from '@meterflow/rule-sdk';
import fs from 'node:fs';

fs.writeFileSync('/tmp/meterflow-escaped', '');

export default defineRule({ name: 'escape-static-import', onReading() {} });
