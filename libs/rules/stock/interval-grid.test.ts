import { testRule } from '@meterflow/rule-sdk';
import intervalGrid from './interval-grid.ts';

export default testRule(intervalGrid, {
  'a reading of another length, and one that begins in between, are flagged': {
    readings: [
      { value: 1, start: '2024-01-01T00:00:00Z' },
      { value: 1, start: '2024-01-01T00:20:00Z' },
      { value: 4, start: '2024-01-01T01:00:00Z', minutes: 60 },
      { value: 500, start: '2024-01-01T01:07:00Z', minutes: 0 },
    ],
    expect: [{ reason: '' }, { reason: 'interval-overlap' }, { reason: 'interval-length' }, { reason: '' }],
  },
  'they can be refused': {
    parameters: { minutes: 30, action: 'reject' },
    readings: [
      { value: 1, minutes: 30, start: '2024-01-01T00:30:00Z' },
      { value: 1, minutes: 30, start: '2024-01-01T00:50:00Z' },
    ],
    expect: [{ value: 1 }, { rejected: 'interval-overlap' }],
  },
});
