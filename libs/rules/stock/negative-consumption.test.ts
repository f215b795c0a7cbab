import { sampleReadings, testRule } from '@meterflow/rule-sdk';
import negativeConsumption from './negative-consumption.ts';

export default testRule(negativeConsumption, {
  'a value below 0 is flagged': {
    readings: sampleReadings([0, -0.001, 3]),
    expect: [{ reason: '' }, { value: -0.001, reason: 'negative-consumption' }, { reason: '' }],
  },
  'never on a net channel': {
    parameters: { action: 'reject' },
    readings: [
      { value: -1, channel: 'net' },
      { value: -1, channel: 'net-house' },
      { value: -1, channel: 'import' },
    ],
    expect: [{ value: -1, reason: '' }, { value: -1, reason: '' }, { rejected: 'negative-consumption' }],
  },
  'net channels can be called otherwise': {
    parameters: { netChannels: 'saldo, balance' },
    readings: [
      { value: -1, channel: 'saldo' },
      { value: -1, channel: 'house-balance' },
      { value: -1, channel: 'net' },
    ],
    expect: [{ reason: '' }, { reason: '' }, { reason: 'negative-consumption' }],
  },
});
