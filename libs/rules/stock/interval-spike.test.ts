import { testRule } from '@meterflow/rule-sdk';
import intervalSpike from './interval-spike.ts';

const spike = { reason: 'interval-spike' };
const none = { reason: '' };

export default testRule(intervalSpike, {
  'the highest is flagged where it is more than 180 % above the third highest': {
    values: [1, 2, 5.61, 1, 2],
    expect: [none, none, { value: 5.61, ...spike }, none, none],
  },
  'at 180 % it is not': {
    values: [1, 2, 5.6, 1, 2],
    expect: [none, none, none, none, none],
  },
  'two high values are no spike, three are a shape': {
    values: [1, 9, 1, 9, 1],
    expect: [none, spike, none, none, none],
  },
  'an equal third highest counts': {
    values: [9, 9, 9, 1],
    expect: [none, none, none, none],
  },
  'the percentage can be set, and low days left out': {
    parameters: { percent: 50, ignoredBelow: 4 },
    values: [1, 1, 4],
    expect: [none, none, none],
  },
  'gaps are not looked at, nor days with fewer than three values': {
    values: [null, 1, 100, null],
    expect: [null, none, none, null],
  },
});
