import { testRule, type SampleRegister } from '@meterflow/rule-sdk';
import registerDifference from './register-difference.ts';

/** Readings of the register at the full hours of the day. */
const hourly = (values: readonly number[]): SampleRegister[] =>
  values.map((value, hour) => ({ start: `2024-01-01T${String(hour).padStart(2, '0')}:00:00Z`, value }));
const made = (hour: number, value: number): { channel: string; start: string; value: number } => ({
  channel: 'consumption',
  start: `2024-01-01T${String(hour).padStart(2, '0')}:00:00Z`,
  value,
});
const day = { values: [], expect: [], minutes: 60 };

export default testRule(registerDifference, {
  'what is counted between two readings is theirs, and the first has none before it': {
    ...day,
    registers: hourly([24, 72, 144, 240, 360]),
    emitted: [
      { ...made(0, 48), quality: 'calculated', method: 'register-difference', reason: '' },
      made(1, 72),
      made(2, 96),
      made(3, 120),
    ],
  },
  'a reading a day goes on to the next day': {
    ...day,
    registers: [
      { start: '2024-01-01T00:00:00Z', value: 100.5 },
      { start: '2024-01-02T00:00:00Z', value: 112.8 },
    ],
    emitted: [made(0, 12.3)],
  },
  'days without a reading are passed over': {
    ...day,
    registers: [
      { start: '2024-01-01T00:00:00Z', value: 100 },
      { start: '2024-01-04T00:00:00Z', value: 130 },
    ],
    emitted: [made(0, 30)],
  },
  'a register goes past its last number': {
    ...day,
    tags: { dials: 5 },
    registers: hourly([99_990, 15.5]),
    emitted: [{ ...made(0, 25.5), quality: 'calculated', reason: 'register-rolled-over' }],
  },
  'a register that began anew counts from 0, estimated': {
    ...day,
    tags: { dials: 5 },
    registers: hourly([40_000, 12, 13]),
    emitted: [{ ...made(0, 12), quality: 'estimated', reason: 'register-reset' }, made(1, 1)],
  },
  'over an exchange both meters are added up': {
    ...day,
    tags: { exchanges: '2024-01-01T00:30:00Z 1010 3' },
    registers: hourly([1_000, 8]),
    emitted: [{ ...made(0, 15), reason: 'register-exchanged' }],
  },
  'over an exchange without readings nothing is made': {
    ...day,
    tags: { exchanges: '2024-01-01T00:30:00Z' },
    registers: hourly([1_000, 8, 9]),
    emitted: [made(1, 1)],
  },
});
