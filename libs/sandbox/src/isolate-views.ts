import type { Days } from './isolate-day.ts';
import type { DayReading } from './isolate-places.ts';
import type { Reach } from './isolate-reach.ts';

// The classes run inside an isolate, as text: nothing in them may refer to anything outside but the types.

/**
 * A day around the one that a run is at, as a step sees it: one object for all days, so many days from each of them. Its
 * lists are the step's own for the day: made when they are asked for, and anew for the next.
 */
export class AroundDay {
  readonly #days: Days;
  readonly #window: number;
  readonly #daysLater: number;
  #turn = -1;
  #slots: DayReading[] | undefined;
  #registers: DayReading[] | undefined;
  #values: Float64Array | undefined;

  constructor(days: Days, window: number, daysLater: number) {
    this.#days = days;
    this.#window = window;
    this.#daysLater = daysLater;
    days.showOwn(this, AroundDay.prototype);
  }

  get date(): string {
    return this.#days.date(this.#daysLater);
  }

  get weekday(): number {
    return this.#days.weekday(this.#daysLater);
  }

  get startMs(): number {
    return this.#days.startMs(this.#daysLater);
  }

  get endMs(): number {
    return this.#days.startMs(this.#daysLater + 1);
  }

  get slots(): DayReading[] {
    this.#turnOver();
    this.#slots ??= this.#days.around(this.#window, this.#daysLater).slots.list();
    return this.#slots;
  }

  get registers(): DayReading[] {
    this.#turnOver();
    this.#registers ??= this.#days.around(this.#window, this.#daysLater).registers.list();
    return this.#registers;
  }

  values(): Float64Array {
    this.#values = this.#days.columnAround(this.#values, this.#window, this.#daysLater);
    return this.#values;
  }

  #turnOver(): void {
    if (this.#turn !== this.#days.turn) {
      this.#turn = this.#days.turn;
      this.#slots = undefined;
      this.#registers = undefined;
    }
  }
}

/** The day that a run is at, as a step sees it: one object for all days as well. */
export class OwnDay {
  readonly earlier: Reach['earlier'];
  readonly later: Reach['later'];
  readonly other: Reach['other'];
  readonly emit: Reach['emit'];
  readonly #days: Days;
  #turn = -1;
  #slots: DayReading[] | undefined;
  #registers: DayReading[] | undefined;
  #values: Float64Array | undefined;

  constructor(days: Days, { earlier, later, other, emit }: Reach) {
    this.#days = days;
    this.earlier = earlier;
    this.later = later;
    this.other = other;
    this.emit = emit;
    days.showOwn(this, OwnDay.prototype);
  }

  get date(): string {
    return this.#days.date(0);
  }

  get weekday(): number {
    return this.#days.weekday(0);
  }

  get startMs(): number {
    return this.#days.startMs(0);
  }

  get endMs(): number {
    return this.#days.startMs(1);
  }

  get closed(): boolean {
    return this.#days.startMs(1) <= this.#days.facts.closedThroughMs;
  }

  get meter(): string {
    return this.#days.facts.meter;
  }

  get channel(): string {
    return this.#days.facts.channel;
  }

  get unit(): string {
    return this.#days.facts.unit;
  }

  get intervalMs(): number {
    return this.#days.facts.intervalMs;
  }

  get slots(): DayReading[] {
    this.#turnOver();
    this.#slots ??= this.#days.slots.list();
    return this.#slots;
  }

  get registers(): DayReading[] {
    this.#turnOver();
    this.#registers ??= this.#days.registers.list();
    return this.#registers;
  }

  values(): Float64Array {
    this.#values = this.#days.slots.column(this.#values);
    return this.#values;
  }

  #turnOver(): void {
    if (this.#turn !== this.#days.turn) {
      this.#turn = this.#days.turn;
      this.#slots = undefined;
      this.#registers = undefined;
    }
  }
}
