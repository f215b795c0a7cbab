import type { RawSlot } from '@meterflow/rule-sdk';

/** The sum of a day's slots; undefined for a day with a gap, or without slots. */
export function totalOf(slots: readonly Pick<RawSlot, 'value'>[]): number | undefined {
  let sum = 0;
  for (const { value } of slots) {
    if (value === undefined) {
      return undefined;
    }
    sum += value;
  }
  return slots.length === 0 ? undefined : sum;
}
