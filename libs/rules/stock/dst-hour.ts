// Checks the hour in which the clock changes, of closed days. Where it goes back and the hour is there twice: flags the
// readings of the hour that is there, where the other is missing (`dst-hour-collapsed`), and of both where they are equal to
// the last digit (`dst-hour-repeated`: one is a copy). Where it goes forward: flags the first reading after it where the
// hour after the change is missing (`dst-hour-missing`).
// Source: daylight saving rules of local-time formats: Datadis and other collapsed autumn hours, MSCONS with 92 and 100
// quarter-hours; NEM12 avoids the question by market time without daylight saving.
import { defineRule, type Slot } from '@meterflow/rule-sdk';

export default defineRule({
  name: 'dst-hour',
  onSeries(day) {
    const shiftMs = day.endMs - day.startMs - 86_400_000;
    if (shiftMs === 0 || !day.closed) {
      return;
    }
    const { slots, intervalMs } = day;
    if (slots.length === 0) {
      return;
    }
    const count = Math.floor(Math.abs(shiftMs) / intervalMs);
    if (shiftMs > 0) {
      // The first interval whose minute of the day is not above the one before it: the hour begins again here.
      const again = slots.findIndex(
        ({ minuteOfDay }, index) => index > 0 && minuteOfDay <= (slots[index - 1] as Slot).minuteOfDay,
      );
      if (again >= count && count > 0) {
        checkTwice(slots.slice(again - count, again), slots.slice(again, again + count));
      }
      return;
    }
    const after = slots.findIndex(
      ({ minuteOfDay }, index) =>
        index > 0 && minuteOfDay - (slots[index - 1] as Slot).minuteOfDay > intervalMs / 60_000,
    );
    if (after > 0 && count > 0 && slots.slice(after, after + count).every(({ value }) => value === undefined)) {
      slots
        .slice(after)
        .find(({ value }) => value !== undefined)
        ?.annotate('dst-hour-missing');
    }
  },
});

function checkTwice(first: readonly Slot[], second: readonly Slot[]): void {
  const missing = (hour: readonly Slot[]): boolean => hour.every(({ value }) => value === undefined);
  if (missing(first) !== missing(second)) {
    note(missing(first) ? second : first, 'dst-hour-collapsed');
    return;
  }
  // An hour of zeros is equal by itself.
  if (
    first.every(({ value }, index) => value === second[index]?.value) &&
    first.some(({ value }) => (value ?? 0) !== 0)
  ) {
    note(first, 'dst-hour-repeated');
    note(second, 'dst-hour-repeated');
  }
}

function note(hour: readonly Slot[], reason: string): void {
  hour.forEach((slot) => {
    if (slot.value !== undefined) {
      slot.annotate(reason);
    }
  });
}
