import { testRule } from '@meterflow/rule-sdk';
import equalRun from './equal-run.ts';

const equal = { reason: 'equal-run' };
const none = { reason: '' };

export default testRule(equalRun, {
  'equal values for an hour are flagged; zeros are another matter': {
    parameters: { hours: 1 },
    values: [2, 2, 2, 2, 0, 0, 0, 0, 2, 2, 2],
    expect: [equal, equal, equal, equal, none, none, none, none, none, none, none],
  },
  'a run goes on over midnight': {
    parameters: { hours: 16 },
    minutes: 240,
    values: [3, 3, 1, 2, 1, 2],
    earlier: [[1, 2, 1, 2, 3, 3]],
    expect: [equal, equal, none, none, none, none],
  },
});
