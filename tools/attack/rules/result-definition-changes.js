// Its definition is another one each time that it is looked at.

import { defineRule } from '@meterflow/rule-sdk';

let looks = 0;

export default defineRule({
  name: 'result-definition-changes',
  get onReading() {
    looks += 1;
    return looks % 2 === 1 ? () => undefined : { call: 1 };
  },
});
