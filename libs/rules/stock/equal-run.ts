// Flags values, other than 0, that are equal for hours: a display that hangs, or a value that a head-end filled in. Runs are
// followed into the day before and the day after.
// Source: consecutive interval checks of meter data management systems (Oracle MDM: Consecutive Interval Check).
import { defineRule } from '@meterflow/rule-sdk';
import { markRuns } from './lib/runs.ts';

export default defineRule({
  name: 'equal-run',
  needs: { lookBackDays: 1, lookAheadDays: 1 },
  parameters: {
    hours: { type: 'number', default: 6, min: 0.25, max: 24, unit: 'h', help: 'From this length on a run is flagged.' },
  },
  onSeries(day, { parameters: { hours } }) {
    markRuns(day, (one, other) => one !== 0 && one === other, { hours, reason: 'equal-run' });
  },
});
