import { testRule } from '@meterflow/rule-sdk';
import scaleToRegister from './scale-to-register.ts';

const registers = (from: number, to: number): { start: string; value: number }[] => [
  { start: '2024-01-01T00:00:00Z', value: from },
  { start: '2024-01-02T00:00:00Z', value: to },
];

export default testRule(scaleToRegister, {
  'parts add up to the total, to the last decimal': {
    minutes: 240,
    quality: 'estimated',
    values: [1, 1, 1, 1, 1, 1],
    registers: registers(100, 100.1),
    expect: [0.017, 0.016, 0.017, 0.017, 0.016, 0.017],
  },
  'and keep their shape': {
    minutes: 240,
    quality: 'estimated',
    values: [1, 2, 3, 0, 2, 2],
    registers: registers(100, 120),
    expect: [{ value: 2, method: 'estimated, scaled' }, 4, 6, 0, 4, 4],
  },
  'measured values stay': {
    minutes: 240,
    values: [1, 2, 3, 4, 5, 6],
    registers: registers(100, 200),
    expect: [1, 2, 3, 4, 5, 6],
  },
  'estimates of 0 are given the same each': {
    minutes: 240,
    quality: 'estimated',
    values: [0, 0, 0, 0, 0, 0],
    registers: registers(0, 12),
    expect: [2, 2, 2, 2, 2, 2],
  },
  'a day with a gap is not scaled': {
    minutes: 240,
    quality: 'estimated',
    values: [1, 1, null, 1, 1, 1],
    registers: registers(100, 200),
    expect: [1, 1, null, 1, 1, 1],
  },
});
