import { testRule } from '@meterflow/rule-sdk';
import plausiblePower from './plausible-power.ts';

export default testRule(plausiblePower, {
  'energy is taken over the length of its interval': {
    parameters: { kwMax: 20 },
    readings: [
      { value: 5, minutes: 15 },
      { value: 5.001, minutes: 15 },
      { value: 20, minutes: 60, start: '2024-01-01T01:00:00Z' },
      { value: 5001, unit: 'Wh', start: '2024-01-01T02:00:00Z' },
      { value: -6, start: '2024-01-01T02:15:00Z' },
    ],
    expect: [
      { reason: '' },
      { value: 5.001, reason: 'implausible-power' },
      { reason: '' },
      { reason: 'implausible-power' },
      { reason: 'implausible-power' },
    ],
  },
  'registers and other quantities are left alone': {
    parameters: { kwMax: 1, action: 'reject' },
    readings: [
      { value: 99_999, minutes: 0 },
      { value: 500, unit: 'm3', start: '2024-01-01T01:00:00Z' },
      { value: 2, unit: 'kW', start: '2024-01-01T02:00:00Z' },
    ],
    expect: [{ value: 99_999 }, { value: 500 }, { rejected: 'implausible-power' }],
  },
});
