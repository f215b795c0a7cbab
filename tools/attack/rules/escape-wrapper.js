// Closes the function that it is wrapped in.

import { defineRule } from '@meterflow/rule-sdk';

})(); process.exit(3); (function () {

export default defineRule({ name: 'escape-wrapper', onReading() {} });
