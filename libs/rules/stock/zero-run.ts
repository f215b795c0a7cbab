// Flags values of 0 that follow each other for a day or longer: the meter stands still, or its pulses get lost. Runs are
// followed into the day before and the day after.
// Source: Oracle MDM (Zero Consumption Check, Consecutive Interval Check).
import { defineRule } from '@meterflow/rule-sdk';
import { markRuns } from './lib/runs.ts';

export default defineRule({
  name: 'zero-run',
  needs: { lookBackDays: 1, lookAheadDays: 1 },
  parameters: {
    hours: {
      type: 'number',
      default: 24,
      min: 0.25,
      max: 24,
      unit: 'h',
      help: 'From this length on a run is flagged.',
    },
  },
  onSeries(day, { parameters: { hours } }) {
    markRuns(day, (one, other) => one === 0 && other === 0, { hours, reason: 'zero-run' });
  },
});
