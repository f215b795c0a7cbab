import { hourMs, type Calendar } from './calendar.ts';
import type { RegisteredInterval, RegisteredIntervals } from './registered-intervals.ts';

/**
 * Consecutive local days laid out in slots: one for each elapsed hour a day can have, and a last one for the day as a
 * whole. Moves along with the readings, which come in order, so that placing one costs no search.
 */
export class DayGrid {
  readonly firstDay: number;
  readonly days: number;
  /** Slots a day. */
  readonly stride: number;
  /** Where the hour found last begins and ends, or that part of it in which one interval length is registered. */
  hourStartMs = 0;
  hourEndMs = 0;
  /** The length registered there; undefined: none. */
  intervalMs: number | undefined;
  /** The day found last, counted from the first one, and its hour's slot. */
  day = 0;
  slot = 0;
  readonly intervals: RegisteredIntervals;
  readonly #starts: Float64Array;

  /** The local days [firstDay, endDay). */
  constructor(
    calendar: Calendar,
    days: { readonly firstDay: number; readonly endDay: number },
    intervals: RegisteredIntervals,
  ) {
    const { firstDay, endDay } = days;
    this.firstDay = firstDay;
    this.days = endDay - firstDay;
    this.intervals = intervals;
    this.#starts = new Float64Array(this.days + 1);
    let longestMs = 0;
    for (let day = 0; day <= this.days; day++) {
      const startMs = calendar.dayStartMs(firstDay + day);
      this.#starts[day] = startMs;
      longestMs = Math.max(longestMs, day === 0 ? 0 : startMs - (this.#starts[day - 1] as number));
    }
    this.stride = Math.ceil(longestMs / hourMs) + 1;
  }

  get startMs(): number {
    return this.#starts[0] as number;
  }

  get endMs(): number {
    return this.#starts[this.days] as number;
  }

  dayStartMs(day: number): number {
    return this.#starts[day] as number;
  }

  /** Sets `day`, `slot` and the hour's span for an instant within the grid. */
  find(instantMs: number): void {
    const starts = this.#starts;
    let { day } = this;
    while ((starts[day] as number) > instantMs) {
      day -= 1;
    }
    while ((starts[day + 1] as number) <= instantMs) {
      day += 1;
    }
    const dayStartMs = starts[day] as number;
    const hour = Math.floor((instantMs - dayStartMs) / hourMs);
    this.day = day;
    this.slot = day * this.stride + hour;
    this.hourStartMs = dayStartMs + hour * hourMs;
    this.hourEndMs = Math.min(this.hourStartMs + hourMs, starts[day + 1] as number);
    if (this.intervals.length > 0) {
      this.#narrow(instantMs);
    }
  }

  /** Where a slot's hour begins; `slot` may be one after the last of its day. */
  slotStartMs(day: number, hour: number): number {
    return Math.min((this.#starts[day] as number) + hour * hourMs, this.#starts[day + 1] as number);
  }

  /** To the part of the hour in which what is registered at the instant holds. */
  #narrow(instantMs: number): void {
    const { intervals } = this;
    let after = intervals.length;
    while (after > 0 && (intervals[after - 1] as RegisteredInterval).fromMs > instantMs) {
      after -= 1;
    }
    const held = intervals[after - 1];
    this.intervalMs = held?.intervalMs;
    this.hourStartMs = Math.max(this.hourStartMs, held?.fromMs ?? -Infinity);
    this.hourEndMs = Math.min(this.hourEndMs, intervals[after]?.fromMs ?? Infinity);
  }
}
