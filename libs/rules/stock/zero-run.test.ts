import { testRule } from '@meterflow/rule-sdk';
import zeroRun from './zero-run.ts';

const zero = { reason: 'zero-run' };
const none = { reason: '' };

export default testRule(zeroRun, {
  'zeros for an hour are flagged, fewer are not': {
    parameters: { hours: 1 },
    values: [1, 0, 0, 0, 0, 1, 0, 0, 0, 1],
    expect: [none, zero, zero, zero, zero, none, none, none, none, none],
  },
  'a gap ends a run': {
    parameters: { hours: 1 },
    values: [0, 0, null, 0, 0, 1],
    expect: [none, none, null, none, none, none],
  },
  'a run goes on from the day before': {
    parameters: { hours: 12 },
    minutes: 240,
    values: [0, 0, 1, 1, 1, 1],
    earlier: [[1, 1, 1, 1, 1, 0]],
    expect: [zero, zero, none, none, none, none],
  },
  'and into the day after': {
    parameters: { hours: 12 },
    minutes: 240,
    values: [1, 1, 1, 1, 1, 0],
    later: [[0, 0, 1, 1, 1, 1]],
    expect: [none, none, none, none, none, zero],
  },
});
