import { testRule } from '@meterflow/rule-sdk';
import fillLikeDay from './fill-like-day.ts';

/** The six days between two weeks. */
const week: (number | null)[][] = [[], [], [], [], [], []];

export default testRule(fillLikeDay, {
  'a gap gets the mean of the same interval of the same weekday': {
    minutes: 240,
    values: [1, null, 1, 1, null, 1],
    earlier: [...week, [5, 2, 5, 5, 4, 5], ...week, [5, 3, 5, 5, 4, 5], ...week, [5, 7, 5, 5, 10, 5]],
    expect: [1, { value: 4, quality: 'estimated', method: 'like-day' }, 1, 1, 6, 1],
  },
  'of the last days that have it': {
    minutes: 240,
    parameters: { days: 2 },
    values: [1, null, 1, 1, 1, 1],
    earlier: [...week, [5, 2, 5], ...week, [5, null, 5], ...week, [5, 4, 5], ...week, [5, 100, 5]],
    expect: [1, 3, 1, 1, 1, 1],
  },
  'with too few like days it stays': {
    minutes: 240,
    parameters: { daysMin: 2 },
    values: [1, null, 1, 1, 1, 1],
    earlier: [...week, [5, 2, 5]],
    expect: [1, null, 1, 1, 1, 1],
  },
  'a day that is not closed is not filled': {
    minutes: 240,
    closed: false,
    values: [1, null, 1],
    earlier: [...week, [5, 2, 5]],
    expect: [1, null, 1],
  },
});
