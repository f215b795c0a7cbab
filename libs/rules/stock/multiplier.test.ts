import { testRule } from '@meterflow/rule-sdk';
import multiplier from './multiplier.ts';

export default testRule(multiplier, {
  'the tag counts': {
    parameters: { factor: 2 },
    tags: { multiplier: 40 },
    values: [1, null, 0.25],
    registers: [{ start: '2024-01-01T00:00:00Z', value: 100 }],
    expect: [40, null, 10],
    expectRegisters: [{ value: 4000 }],
  },
  'the parameter does where there is none': {
    parameters: { factor: 2 },
    values: [1, null, 0.25],
    expect: [2, null, 0.5],
  },
  'by itself it changes nothing': {
    values: [1, null, 0.25],
    expect: [1, null, 0.25],
  },
});
