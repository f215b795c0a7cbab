// Flags all readings of a day whose total is far from the mean total of the days before: below half of it, or above twice
// of it. Days with gaps are neither checked nor compared with.
// Source: high and low usage against average daily usage, in California's Standards for Validating, Editing, and Estimating
// Monthly and Interval Data; Oracle MDM (High/Low Check). The two limits are each utility's own: these are common ones.
import { defineRule } from '@meterflow/rule-sdk';
import { totalOf } from './lib/total.ts';

export default defineRule({
  name: 'usage-high-low',
  needs: { lookBackDays: 14 },
  parameters: {
    lowPercent: { type: 'number', default: 50, min: 0, unit: '%', help: 'Below this share of the mean a day is low.' },
    highPercent: {
      type: 'number',
      default: 200,
      min: 0,
      unit: '%',
      help: 'Above this share of the mean a day is high.',
    },
    days: { type: 'number', default: 7, min: 1, max: 14, unit: 'd', help: 'How many days before it is compared with.' },
    daysMin: {
      type: 'number',
      default: 3,
      min: 1,
      max: 14,
      unit: 'd',
      help: 'With fewer complete days among them it is not checked.',
    },
  },
  onSeries(day, { parameters: { lowPercent, highPercent, days, daysMin } }) {
    const total = totalOf(day.values());
    if (Number.isNaN(total)) {
      return;
    }
    let sum = 0;
    let count = 0;
    for (let back = 1; back <= days; back++) {
      const before = totalOf(day.earlier(back).values());
      if (!Number.isNaN(before)) {
        sum += before;
        count += 1;
      }
    }
    if (count < daysMin) {
      return;
    }
    const mean = sum / count;
    const reason = total * 100 < lowPercent * mean ? 'low-usage' : total * 100 > highPercent * mean ? 'high-usage' : '';
    if (reason !== '') {
      day.slots.forEach((slot) => {
        slot.annotate(reason);
      });
    }
  },
});
