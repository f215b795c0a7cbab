import { testRule } from '@meterflow/rule-sdk';
import dstHour from './dst-hour.ts';

const none = { reason: '' };
const autumn = { date: '2024-10-27', timeZone: 'Europe/Berlin', minutes: 60 };
const spring = { date: '2024-03-31', timeZone: 'Europe/Berlin', minutes: 60 };

export default testRule(dstHour, {
  'a doubled hour that is there once is flagged': {
    ...autumn,
    values: [1, 2, 3, null, 4],
    expect: [none, none, { reason: 'dst-hour-collapsed' }, null, none],
  },
  'a doubled hour that is a copy is flagged': {
    ...autumn,
    values: [1, 2, 3, 3, 4],
    expect: [none, none, { reason: 'dst-hour-repeated' }, { reason: 'dst-hour-repeated' }, none],
  },
  'two different hours are right': {
    ...autumn,
    values: [1, 2, 3, 3.1, 4],
    expect: [none, none, none, none, none],
  },
  'the hour after the clock went forward must be there': {
    ...spring,
    values: [1, 2, null, 4],
    expect: [none, none, null, { reason: 'dst-hour-missing' }],
  },
  'a day on which the clock does not change is not looked at': {
    ...{ minutes: 60, timeZone: 'Europe/Berlin' },
    values: [1, 2, 2, null, 4],
    expect: [none, none, none, null, none],
  },
});
