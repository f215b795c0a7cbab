import { dayMs, type Calendar } from '@meterflow/aggregates';
import type { ClockShift } from './series-run.ts';

/** Local days that follow each other. */
export interface LocalDays {
  /** Number of the first, counted from 1970-01-01 by local dates. */
  readonly firstDay: number;
  /** Start of each, and the end of the last. */
  readonly startMs: Float64Array;
  readonly clockShifts: readonly ClockShift[];
}

export function localDays(calendar: Calendar, firstDay: number, count: number): LocalDays {
  const startMs = Float64Array.from({ length: count + 1 }, (_, day) => calendar.dayStartMs(firstDay + day));
  const clockShifts: ClockShift[] = [];
  for (let day = 0; day < count; day++) {
    const fromMs = startMs[day] as number;
    const toMs = startMs[day + 1] as number;
    if (toMs - fromMs !== dayMs && toMs > fromMs) {
      clockShifts.push(...shiftsWithin(calendar, { day, number: firstDay + day, fromMs, toMs }));
    }
  }
  return { firstDay, startMs, clockShifts };
}

/** Which of the days an instant lies in; -1 outside. */
export function dayIndex({ startMs }: LocalDays, instantMs: number): number {
  let low = 0;
  let high = startMs.length - 1;
  if (!(instantMs >= (startMs[0] as number) && instantMs < (startMs[high] as number))) {
    return -1;
  }
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((startMs[middle] as number) <= instantMs) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return low;
}

interface OddDay {
  readonly day: number;
  readonly number: number;
  readonly fromMs: number;
  readonly toMs: number;
}

/** Where the clock jumps over midnight the day begins later than at 0:00; else it is put within the day. */
function shiftsWithin(calendar: Calendar, { day, number, fromMs, toMs }: OddDay): ClockShift[] {
  const before = calendar.offsetMs(fromMs);
  const after = calendar.offsetMs(toMs - 1);
  const shifts: ClockShift[] = [];
  const shownAtStartMs = fromMs + before - number * dayMs;
  if (shownAtStartMs !== 0) {
    shifts.push({ day, atMs: fromMs, minutes: Math.round(shownAtStartMs / 60_000) });
  }
  if (before !== after) {
    let [low, high] = [fromMs, toMs - 1];
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      [low, high] = calendar.offsetMs(middle) === before ? [middle, high] : [low, middle];
    }
    shifts.push({ day, atMs: high, minutes: Math.round((after - before) / 60_000) });
  }
  return shifts;
}
