import { testRule } from '@meterflow/rule-sdk';
import fillProfile from './fill-profile.ts';

/** A made-up profile of six stretches of four hours. */
const profile = `,Januar,Januar,Januar,Februar,Februar,Februar
[kWh],SA,FT,WT,SA,FT,WT
00:00-04:00,2,3,1,20,30,10
04:00-08:00,2,3,2,20,30,20
08:00-12:00,2,3,3,20,30,30
12:00-16:00,2,3,4,20,30,40
16:00-20:00,2,3,5,20,30,50
20:00-24:00,2,3,6,20,30,60`;
const gaps = [null, null, null, null, null, null];

export default testRule(fillProfile, {
  'a day with enough measured values is filled to their scale': {
    minutes: 240,
    parameters: { profile },
    values: [10, 20, 30, 40, null, null],
    expect: [10, 20, 30, 40, { value: 50, quality: 'estimated', method: 'profile' }, 60],
  },
  'an empty day is filled to the yearly consumption': {
    minutes: 240,
    parameters: { profile, profileYear: 1_000, yearlyUse: 4_000 },
    tags: { yearlyUse: 3_000 },
    values: gaps,
    expect: [3, 6, 9, 12, 15, 18],
  },
  'which must be known': {
    minutes: 240,
    parameters: { profile },
    values: gaps,
    expect: gaps,
  },
  'each month and kind of day has its own': {
    minutes: 240,
    date: '2024-02-03',
    parameters: { profile, profileYear: 1, yearlyUse: 1 },
    values: gaps,
    expect: [20, 20, 20, 20, 20, 20],
  },
  'a holiday is a Sunday': {
    minutes: 240,
    date: '2024-01-02',
    parameters: { profile, profileYear: 1, yearlyUse: 1, holidays: '2024-01-01,2024-01-02' },
    values: gaps,
    expect: [3, 3, 3, 3, 3, 3],
  },
  'a dynamic profile has the factor of the day': {
    minutes: 240,
    parameters: { profile, profileYear: 1, yearlyUse: 1, dynamic: true },
    values: gaps,
    expect: [1.24203, 2.48406, 3.72609, 4.96812, 6.210151, 7.452181],
  },
  'shorter intervals get their share': {
    minutes: 60,
    parameters: { profile: '00:00;24\n12:00;1,2', profileYear: 1, yearlyUse: 1 },
    values: [null, null],
    expect: [2, 2],
  },
});
