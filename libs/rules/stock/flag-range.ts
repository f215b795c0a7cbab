// Notes `below-minimum` or `above-maximum` beside a value outside of a range. The value stays as it is.
// Source: validation by minimum and maximum values, in AEMO Metrology Procedure Part B.
import { defineRule, type Quality } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'flag-range',
  parameters: {
    below: {
      type: 'number',
      default: -Number.MAX_VALUE,
      help: 'The smallest value that is not flagged, in the unit of the reading.',
    },
    above: {
      type: 'number',
      default: Number.MAX_VALUE,
      help: 'The largest value that is not flagged, in the unit of the reading.',
    },
    quality: {
      type: 'string',
      default: '',
      choices: ['', 'measured', 'estimated', 'substituted', 'calculated'],
      help: 'The quality of a flagged value; empty: as it came.',
    },
  },
  onReading(reading, { parameters: { below, above, quality } }) {
    const { value } = reading;
    if (value >= below && value <= above) {
      return;
    }
    reading.annotate(value < below ? 'below-minimum' : 'above-maximum');
    if (quality !== '') {
      reading.quality = quality as Quality;
    }
  },
});
