// Is loaded once, then throws something odd each time.

import { defineRule } from '@meterflow/rule-sdk';

const odd = {
  get message() {
    throw odd;
  },
  get stack() {
    throw odd;
  },
  toString() {
    throw odd;
  },
};

export default defineRule({
  name: 'result-thrown-at-second-load',
  get onReading() {
    throw odd;
  },
});
