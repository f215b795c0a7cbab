import type { SeriesDay } from '@meterflow/rule-sdk';
import { registerDifference, type RegisterDifference } from './register-difference.ts';
import { registerFacts } from './register-facts.ts';

/** What a register counted over some of a day's slots. */
export interface RegisterTotal extends RegisterDifference {
  /** Slots from and to (not with) these indexes. */
  fromSlot: number;
  toSlot: number;
}

interface Shown {
  readonly startMs: number;
  readonly value: number | undefined;
  readonly unit: string;
}

/** The channel that a register is looked for on where the day's own channel has no register readings. */
export const registerChannel = 'register';

/**
 * What the register counted between its first and its last reading of the day that lie on an interval's edge, the one at
 * the end of the day counted in. Undefined where there are no two, the difference is not known for certain, or the intervals
 * are in another unit: an earlier rule may have changed that.
 */
export function registerTotal(
  day: SeriesDay,
  tags: Readonly<Record<string, string | number | boolean | undefined>>,
  parameters: { readonly dials: number; readonly decimals: number },
): RegisterTotal | undefined {
  const { registers } = day;
  const own = registers.length > 0;
  const today: readonly Shown[] = own ? registers : day.other(registerChannel).registers;
  const first = today.find((shown) => onEdge(day, shown));
  if (first === undefined) {
    return undefined;
  }
  const tomorrow: readonly Shown[] = own ? day.later(1).registers : day.other(registerChannel, 1).registers;
  const midnight = tomorrow.find(({ startMs, value }) => startMs === day.endMs && value !== undefined);
  const last = midnight ?? today.findLast((shown) => onEdge(day, shown));
  if (first.value === undefined || last?.value === undefined || first.startMs >= last.startMs) {
    return undefined;
  }
  const fromSlot = (first.startMs - day.startMs) / day.intervalMs;
  const toSlot = (last.startMs - day.startMs) / day.intervalMs;
  const total: RegisterTotal = { value: 0, step: 'counted', fromSlot, toSlot };
  registerDifference(
    { fromMs: first.startMs, from: first.value, toMs: last.startMs, to: last.value },
    registerFacts(tags, { ...parameters, hourlyMax: 0 }),
    total,
  );
  const isKnown = total.step !== 'reset' && total.step !== 'unknown';
  return isKnown && areInOneUnit(day, total, [first, last]) ? total : undefined;
}

function areInOneUnit(
  { slots }: SeriesDay,
  { fromSlot, toSlot }: RegisterTotal,
  [first, last]: readonly [Shown, Shown],
): boolean {
  const areAlike = slots.slice(fromSlot, toSlot).every(({ value, unit }) => value === undefined || unit === first.unit);
  return areAlike && first.unit === last.unit;
}

function onEdge({ startMs, intervalMs }: SeriesDay, shown: Shown): boolean {
  return shown.value !== undefined && intervalMs > 0 && Number.isInteger((shown.startMs - startMs) / intervalMs);
}
