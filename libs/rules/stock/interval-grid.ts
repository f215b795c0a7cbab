// Notes `interval-length` beside a reading of another length than the series is read in, and `interval-overlap` beside one
// that begins between two intervals, and so overlaps one or two of them. Register readings are left alone.
// Source: interval size and overlap checks of meter data management systems (Oracle MDM: Interval Size Validation); AEMO
// NEM12, where an IntervalLength holds for all values of a 200 block, counted from midnight.
import { defineRule } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'interval-grid',
  parameters: {
    minutes: {
      type: 'number',
      default: 15,
      min: 1,
      max: 1440,
      unit: 'min',
      help: 'Length of the intervals of the series.',
    },
    action: { type: 'string', default: 'flag', choices: ['flag', 'reject'], help: 'What becomes of the reading.' },
  },
  onReading(reading, { parameters: { minutes, action } }) {
    const { startMs, endMs } = reading;
    const lengthMs = minutes * 60_000;
    if (endMs === startMs) {
      return;
    }
    // Days begin on a quarter of an hour of UTC in every zone, so that this grid is that of the local day up to 15 minutes.
    const gridMs = Math.min(lengthMs, 900_000);
    const reason =
      endMs - startMs !== lengthMs ? 'interval-length' : !Number.isInteger(startMs / gridMs) ? 'interval-overlap' : '';
    if (reason === '') {
      return;
    }
    if (action === 'reject') {
      reading.reject(reason);
    } else {
      reading.annotate(reason);
    }
  },
});
