import { testRule } from '@meterflow/rule-sdk';
import sumCheck from './sum-check.ts';

const none = { reason: '' };
const failed = { reason: 'sum-check' };
const registers = [
  { start: '2024-01-01T00:00:00Z', value: 1_000 },
  { start: '2024-01-02T00:00:00Z', value: 1_021 },
];

export default testRule(sumCheck, {
  'intervals that add up to the register are right, up to the tolerance': {
    minutes: 240,
    values: [1, 2, 3, 4, 5, 5],
    registers,
    expect: [none, none, none, none, none, none],
  },
  'others are flagged': {
    minutes: 240,
    values: [1, 2, 3, 4, 5, 4.9],
    registers,
    expect: [failed, failed, failed, failed, failed, failed],
  },
  'the register may have a channel of its own, and readings within the day': {
    minutes: 240,
    parameters: { tolerance: 0 },
    values: [9, 2, 3, 9, 9, 9],
    registers: [
      { start: '2024-01-01T04:00:00Z', value: 500, channel: 'register' },
      { start: '2024-01-01T12:00:00Z', value: 506, channel: 'register' },
    ],
    expect: [none, failed, failed, none, none, none],
  },
  'a gap leaves nothing to check': {
    minutes: 240,
    values: [1, null, 3, 4, 5, 6],
    registers,
    expect: [none, null, none, none, none, none],
  },
  'a register that rolled over is followed': {
    minutes: 240,
    tags: { dials: 4 },
    parameters: { tolerance: 0 },
    values: [1, 2, 3, 4, 5, 6],
    registers: [
      { start: '2024-01-01T00:00:00Z', value: 9_990 },
      { start: '2024-01-02T00:00:00Z', value: 11 },
    ],
    expect: [none, none, none, none, none, none],
  },
});
