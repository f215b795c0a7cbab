import { testRule } from '@meterflow/rule-sdk';
import gapCheck from './gap-check.ts';

const none = { reason: '' };

export default testRule(gapCheck, {
  'the reading after a gap tells its length': {
    minutes: 240,
    values: [1, null, null, 1, 1, 1],
    expect: [none, null, null, { reason: 'gap-before:2' }, none, none],
  },
  'at the end of the day the reading before it does': {
    minutes: 240,
    values: [1, 1, 1, 1, null, null],
    expect: [none, none, none, { reason: 'gap-after:2' }, null, null],
  },
  'short gaps can be let pass': {
    parameters: { intervalsMax: 1 },
    minutes: 240,
    values: [null, 1, null, null, 1, 1],
    expect: [null, none, null, null, { reason: 'gap-before:2' }, none],
  },
  'a day that is not closed has no gaps yet': {
    minutes: 240,
    closed: false,
    values: [1, null, 1, null, null, null],
    expect: [none, null, none, null, null, null],
  },
});
