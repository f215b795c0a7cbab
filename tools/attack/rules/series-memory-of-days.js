// Keeps every day that it sees, to leak one into another.

import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'series-memory-of-days',
  needs: { lookBackDays: 1, lookAheadDays: 1, reads: ['export'], emits: ['net'] },
  onSeries(day) {
    (globalThis.days ??= []).push(day);
    for (const kept of globalThis.days) kept.slots[0]?.annotate('leaked');
  },
});
