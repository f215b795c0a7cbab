import { readingsPerBatchMax } from '@meterflow/readings';
import { dayIndex, type LocalDays } from './local-days.ts';

/** No sandbox runs a day of so many, which says so; no more of them are laid out, however short an interval is told. */
const slotsPerDayMax = readingsPerBatchMax + 1;

/** How many slots a day has: a day on which the clock changes has more or fewer of those that are short enough. */
function slotCount(dayLengthMs: number, intervalMs: number): number {
  return intervalMs === 0 || dayLengthMs === 0
    ? 0
    : Math.min(slotsPerDayMax, Math.max(1, Math.round(dayLengthMs / intervalMs)));
}

/** The slots of consecutive local days, one behind the other, and where among them readings lie. */
export class DayGrid {
  readonly days: LocalDays;
  /** 0 where there are no slots. */
  readonly intervalMs: number;
  /** Slots of day i are those from slotsFrom[i] up to slotsFrom[i + 1]. */
  readonly slotsFrom: Uint32Array;
  /** Where the reading lies that was looked for last: its day, and its slot; -1 for one of another length, or off the grid. */
  day = 0;
  slot = -1;

  constructor(days: LocalDays, intervalMs: number) {
    const count = days.startMs.length - 1;
    this.days = days;
    this.intervalMs = intervalMs;
    this.slotsFrom = new Uint32Array(count + 1);
    for (let day = 0; day < count; day++) {
      const lengthMs = (days.startMs[day + 1] as number) - (days.startMs[day] as number);
      this.slotsFrom[day + 1] = (this.slotsFrom[day] as number) + slotCount(lengthMs, intervalMs);
    }
  }

  /** False for a reading that begins on none of the days. */
  find(startMs: number, lengthMs: number): boolean {
    const starts = this.days.startMs;
    // Readings mostly come in the order of their starts.
    if (!(startMs >= (starts[this.day] as number) && startMs < (starts[this.day + 1] as number))) {
      const day = dayIndex(this.days, startMs);
      if (day < 0) {
        return false;
      }
      this.day = day;
    }
    this.slot = -1;
    if (lengthMs > 0 && lengthMs === this.intervalMs) {
      const { day, slotsFrom } = this;
      const slot = (startMs - (starts[day] as number)) / lengthMs;
      if (Number.isInteger(slot) && slot < (slotsFrom[day + 1] as number) - (slotsFrom[day] as number)) {
        this.slot = (slotsFrom[day] as number) + slot;
      }
    }
    return true;
  }
}
