// Flags the highest interval of a day where it stands out: where it is more than 180 % above the third highest, that is
// (highest − third highest) / third highest × 100 > 180. Gaps and estimated values are not looked at.
// Source: spike check in California's Standards for Validating, Editing, and Estimating Monthly and Interval Data; the same
// ratio, 1.8, in NAESB's Uniform Business Practices for metering; Oracle MDM (Interval Spike Check).
import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'interval-spike',
  parameters: {
    percent: {
      type: 'number',
      default: 180,
      min: 0,
      unit: '%',
      help: 'How far above the third highest the highest may be.',
    },
    ignoredBelow: {
      type: 'number',
      default: 0,
      min: 0,
      help: 'Days whose highest value is at most this are not checked, in the unit of the day.',
    },
  },
  onSeries(day, { parameters: { percent, ignoredBelow } }) {
    const { slots } = day;
    const values = day.values();
    let highest = -1;
    let first = 0;
    let second = 0;
    let third = 0;
    for (let index = 0; index < values.length; index++) {
      const value = values[index] as number;
      // A gap is not more either.
      if (!(value > third) || slots[index]?.quality === 'estimated') {
        continue;
      }
      if (value > first) {
        highest = index;
        third = second;
        second = first;
        first = value;
      } else if (value > second) {
        third = second;
        second = value;
      } else {
        third = value;
      }
    }
    // Three values are needed, and a third highest of 0 would make a spike of anything: what has no load has no shape.
    if (third > 0 && first > ignoredBelow && (first - third) * 100 > percent * third) {
      slots[highest]?.annotate('interval-spike');
    }
  },
});
