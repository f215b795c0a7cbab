import { testRule } from '@meterflow/rule-sdk';
import usageHighLow from './usage-high-low.ts';

const flat = (value: number): number[] => Array.from({ length: 6 }, () => value);
const all = (reason: string): { reason: string }[] => Array.from({ length: 6 }, () => ({ reason }));

export default testRule(usageHighLow, {
  'a day of more than twice the mean is flagged as a whole': {
    minutes: 240,
    values: flat(2.1),
    earlier: [flat(1), flat(1.1), flat(0.9)],
    expect: all('high-usage'),
  },
  'a day of less than half of it as well': {
    minutes: 240,
    values: flat(0.4),
    earlier: [flat(1), flat(1.1), flat(0.9)],
    expect: all('low-usage'),
  },
  'what lies between is not': {
    minutes: 240,
    values: flat(2),
    earlier: [flat(1), flat(1), flat(1)],
    expect: all(''),
  },
  'days with gaps are not compared with': {
    minutes: 240,
    values: flat(9),
    earlier: [flat(1), [1, null, 1, 1, 1, 1], flat(1)],
    expect: all(''),
  },
  'limits and days can be set': {
    parameters: { highPercent: 120, days: 1, daysMin: 1 },
    minutes: 240,
    values: flat(1.3),
    earlier: [flat(1), flat(5), flat(5)],
    expect: all('high-usage'),
  },
});
