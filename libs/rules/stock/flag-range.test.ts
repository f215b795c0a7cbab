import { sampleReadings, testRule } from '@meterflow/rule-sdk';
import flagRange from './flag-range.ts';

export default testRule(flagRange, {
  'what lies outside is flagged, the bounds are not': {
    parameters: { below: 0, above: 10 },
    readings: sampleReadings([-0.001, 0, 10, 10.5]),
    expect: [
      { value: -0.001, reason: 'below-minimum', quality: 'measured' },
      { reason: '' },
      { reason: '' },
      { value: 10.5, reason: 'above-maximum' },
    ],
  },
  'a flagged value can be given a quality': {
    parameters: { above: 10, quality: 'estimated' },
    readings: sampleReadings([11, 9]),
    expect: [{ quality: 'estimated' }, { quality: 'measured' }],
  },
});
