// Fills gaps of a closed day, of any length, with the mean of the same interval of the same weekday: of the last three such
// days, of the four weeks before, that have a measured value there. On the day when an hour is there twice both are the
// hour of the like day.
// Source: estimation by the average of reference days, for gaps of more than two hours, in California's Standards for
// Validating, Editing, and Estimating Monthly and Interval Data; substitution by like days in AEMO Metrology Procedure Part B.
import { defineRule, type RawDay } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'fill-like-day',
  needs: { lookBackDays: 28 },
  parameters: {
    days: { type: 'number', default: 3, min: 1, max: 4, unit: 'd', help: 'How many like days the mean is of.' },
    daysMin: {
      type: 'number',
      default: 1,
      min: 1,
      max: 4,
      unit: 'd',
      help: 'With fewer of them an interval is not filled.',
    },
  },
  onSeries(day, { parameters: { days, daysMin } }) {
    if (!day.closed) {
      return;
    }
    let like: RawDay[] | undefined;
    day.slots.forEach((slot, index) => {
      if (slot.value !== undefined) {
        return;
      }
      like ??= [7, 14, 21, 28].map((back) => day.earlier(back));
      let sum = 0;
      let count = 0;
      for (const before of like) {
        const value = count < days ? measuredAt(before, index, slot.minuteOfDay) : undefined;
        if (value !== undefined) {
          sum += value;
          count += 1;
        }
      }
      if (count >= daysMin) {
        slot.fill(sum / count, { method: 'like-day' });
      }
    });
  },
});

/** The measured value of a day at that time by the clock on the wall: it stands at the same index but where the clock changes. */
function measuredAt({ slots }: RawDay, index: number, minuteOfDay: number): number | undefined {
  const same = slots[index];
  const slot = same?.minuteOfDay === minuteOfDay ? same : slots.find((each) => each.minuteOfDay === minuteOfDay);
  return slot?.quality === 'measured' ? slot.value : undefined;
}
