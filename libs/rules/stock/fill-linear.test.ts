import { testRule } from '@meterflow/rule-sdk';
import fillLinear from './fill-linear.ts';

const filled = (value: number): { value: number; quality: 'estimated'; method: string } => ({
  value,
  quality: 'estimated',
  method: 'linear-interpolation',
});

export default testRule(fillLinear, {
  'four values between 75 and 100 are 80, 85, 90 and 95': {
    values: [75, null, null, null, null, 100],
    expect: [75, filled(80), filled(85), filled(90), filled(95), 100],
  },
  'three values between 0 and 100 are 25, 50 and 75': {
    values: [0, null, null, null, 100],
    expect: [0, 25, 50, 75, 100],
  },
  'a gap of two hours is filled, a longer one is not': {
    minutes: 60,
    values: [3, null, null, 6, null, null, null, 10],
    expect: [3, 4, 5, 6, null, null, null, 10],
  },
  'a gap over midnight is filled from both sides': {
    minutes: 240,
    parameters: { hoursMax: 12 },
    values: [null, null, 40, 1, 1, 1],
    earlier: [[1, 1, 1, 1, 0, null]],
    expect: [20, 30, 40, 1, 1, 1],
  },
  'and into the next day': {
    minutes: 240,
    parameters: { hoursMax: 12 },
    values: [1, 1, 1, 1, 10, null],
    later: [[null, 40, 1, 1, 1, 1]],
    expect: [1, 1, 1, 1, 10, 20],
  },
  'a day that is not closed is not filled': {
    closed: false,
    values: [1, null, 3],
    expect: [1, null, 3],
  },
  'a gap without a value on one side is not filled': {
    values: [null, 2, 3],
    expect: [null, 2, 3],
  },
});
