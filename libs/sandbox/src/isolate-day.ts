import type { BatchCursor } from './isolate-cursor.ts';
import type { Reading } from './isolate-reading.ts';

// The classes run inside an isolate, as text: nothing in them may refer to anything outside but the types.

/** What the host tells of a day beside its columns. */
export interface DayFacts {
  readonly meter: string;
  readonly channel: string;
  readonly unit: string;
  readonly intervalMs: number;
  readonly slots: number;
  readonly day: number;
  readonly firstDay: number;
  readonly startMs: readonly number[];
  readonly clockShifts: readonly { readonly day: number; readonly atMs: number; readonly minutes: number }[];
  readonly closedThroughMs: number;
  readonly tags: Readonly<Record<string, unknown>>;
  /** All channels that the flow emits on: an emission names one by its place. */
  readonly emits: readonly string[];
  readonly windows: readonly {
    readonly channel: string;
    readonly intervalMs: number;
    readonly slotsFrom: readonly number[];
    readonly registersFrom: readonly number[];
  }[];
}

/** The raw columns of all windows, one behind the other as the facts list them. */
export interface WindowColumns {
  readonly values: Float64Array;
  readonly quality: Uint8Array;
  readonly unit: Uint16Array;
  readonly registerStartMs: Float64Array;
  readonly registerValues: Float64Array;
  readonly registerQuality: Uint8Array;
  readonly registerUnit: Uint16Array;
}

/** What one step may look at. */
export interface DayNeeds {
  readonly reads: readonly string[];
  readonly emits: readonly string[];
  readonly lookBackDays: number;
  readonly lookAheadDays: number;
  readonly tags: readonly string[];
}

interface Placed {
  readonly startMs: number;
  readonly endMs: number;
  readonly minuteOfDay: number;
}

interface Filling {
  readonly quality?: string;
  readonly method?: string;
  readonly reason?: string;
  readonly unit?: string;
}

/** A slot or a register reading of the day: a place in the shared columns. */
export class DayReading {
  readonly startMs: number;
  readonly endMs: number;
  readonly minuteOfDay: number;
  readonly #cursor: BatchCursor;
  readonly #reading: Reading;
  readonly #index: number;
  /** The unit that a gap is filled in; undefined where it can't be filled. */
  readonly #fillUnit: string | undefined;

  constructor(
    shared: { readonly cursor: BatchCursor; readonly reading: Reading },
    index: number,
    placed: Placed & { readonly fillUnit: string | undefined },
  ) {
    this.startMs = placed.startMs;
    this.endMs = placed.endMs;
    this.minuteOfDay = placed.minuteOfDay;
    this.#cursor = shared.cursor;
    this.#reading = shared.reading;
    this.#index = index;
    this.#fillUnit = placed.fillUnit;
    Object.freeze(this);
  }

  // eslint-disable-next-line @typescript-eslint/related-getter-setter-pairs -- a gap has none, and none can be set
  get value(): number | undefined {
    return this.#isGap() ? undefined : this.#cursor.values[this.#index];
  }

  set value(value: number) {
    this.#at('value').value = value;
  }

  get quality(): string {
    return this.#isGap() ? 'missing' : (this.#cursor.qualities[this.#cursor.quality[this.#index] as number] as string);
  }

  set quality(quality: string) {
    this.#at('quality').quality = quality;
  }

  get unit(): string {
    return this.#isGap() ? '' : (this.#cursor.texts[this.#cursor.unit[this.#index] as number] as string);
  }

  set unit(unit: string) {
    this.#at('unit').unit = unit;
  }

  get code(): string {
    return this.#cursor.texts[this.#cursor.code[this.#index] as number] as string;
  }

  get method(): string {
    return this.#isGap() ? '' : (this.#cursor.texts[this.#cursor.method[this.#index] as number] as string);
  }

  set method(method: string) {
    this.#at('method').method = method;
  }

  get reason(): string {
    const cursor = this.#cursor;
    const noted = ((cursor.changes[this.#index] as number) & 48) !== 0;
    return noted ? (cursor.texts[cursor.reason[this.#index] as number] as string) : '';
  }

  annotate(reason: string): void {
    if (!this.#isGap()) {
      this.#at('').annotate(reason);
    }
  }

  reject(reason: string): void {
    if (!this.#isGap()) {
      this.#at('').reject(reason);
    }
  }

  fill(value: number, how: Filling = {}): boolean {
    const cursor = this.#cursor;
    const index = this.#index;
    if (!this.#isGap()) {
      throw cursor.nonsense('fill is for gaps: this slot has a value, set that');
    }
    if (this.#fillUnit === undefined || (cursor.changes[index] as number) >= 32) {
      return false;
    }
    cursor.quality[index] = 0;
    cursor.method[index] = 0;
    const reading = this.#at('');
    reading.value = value;
    cursor.mark(3);
    reading.quality = how.quality ?? 'estimated';
    reading.unit = how.unit ?? this.#fillUnit;
    cursor.mark(4);
    if (how.method !== undefined) {
      reading.method = how.method;
    }
    if (how.reason !== undefined) {
      reading.annotate(how.reason);
    }
    return true;
  }

  /** No value, or one that was refused. */
  #isGap(): boolean {
    return this.#cursor.quality[this.#index] === 4 || (this.#cursor.changes[this.#index] as number) >= 32;
  }

  /** The reading that moves, at this place. */
  #at(what: string): Reading {
    if (what !== '' && this.#isGap()) {
      throw this.#cursor.nonsense(`a gap has no ${what} to set: fill(value) it`);
    }
    this.#cursor.index = this.#index;
    return this.#reading;
  }
}

export interface DayParts {
  readonly DayReading: typeof DayReading;
}

/** The day that a run is at, with all around it. A step gets a view of it that shows what the step needs. */
export class Days {
  readonly facts: DayFacts;
  readonly #cursor: BatchCursor;
  readonly #reading: Reading;
  readonly #windows: WindowColumns;
  readonly #parts: DayParts;
  readonly #readings: number;
  readonly #spans: number;
  readonly #capacity: number;
  readonly #emitted = new Set<string>();

  constructor(
    shared: { readonly cursor: BatchCursor; readonly reading: Reading; readonly windows: WindowColumns },
    facts: DayFacts,
    counts: { readonly readings: number; readonly spans: number; readonly capacity: number; readonly parts: DayParts },
  ) {
    this.facts = facts;
    this.#cursor = shared.cursor;
    this.#reading = shared.reading;
    this.#windows = shared.windows;
    this.#parts = counts.parts;
    this.#readings = counts.readings;
    this.#spans = counts.spans;
    this.#capacity = counts.capacity;
  }

  get emitted(): number {
    return this.#emitted.size;
  }

  /** Takes back what was emitted after the first so many. */
  keepEmitted(count: number): void {
    [...this.#emitted].slice(count).forEach((key) => {
      this.#emitted.delete(key);
    });
  }

  /** What a step sees. */
  view(needs: DayNeeds): object {
    const { facts } = this;
    const { day, meter, channel, unit, intervalMs } = facts;
    const within = (days: number, most: number, what: string): number => {
      if (!Number.isInteger(days) || days < 0 || days > most) {
        throw this.#cursor.nonsense(`${what}(${String(days)}) is not to be had: needs says ${most} days`);
      }
      return days;
    };
    return Object.freeze({
      ...this.#named(day),
      closed: this.#isClosed(),
      meter,
      channel,
      unit,
      intervalMs,
      slots: this.#slots(),
      registers: this.#registers(),
      earlier: (days: number) => this.#raw(0, day - within(days, needs.lookBackDays, 'earlier')),
      later: (days: number) => this.#raw(0, day + within(days, needs.lookAheadDays, 'later')),
      other: (name: string, daysLater = 0) => {
        const window = facts.windows.findIndex((each, index) => index > 0 && each.channel === name);
        if (window < 0 || !needs.reads.includes(name)) {
          throw this.#cursor.nonsense(`the channel ${name} is not to be had: name it in needs.reads`);
        }
        const days =
          daysLater < 0
            ? -within(-daysLater, needs.lookBackDays, 'other')
            : within(daysLater, needs.lookAheadDays, 'other');
        return this.#raw(window, day + days);
      },
      emit: (name: string, emission: Readonly<Record<string, unknown>>) => {
        this.#emit(needs, name, emission);
      },
    });
  }

  #named(day: number): object {
    const { firstDay, startMs } = this.facts;
    const number = firstDay + day;
    return {
      date: new Date(number * 86_400_000).toISOString().slice(0, 10),
      weekday: ((((number + 3) % 7) + 7) % 7) + 1,
      startMs: startMs[day] as number,
      endMs: startMs[day + 1] as number,
    };
  }

  #isClosed(): boolean {
    const { day, startMs, closedThroughMs } = this.facts;
    return (startMs[day + 1] as number) <= closedThroughMs;
  }

  #placed(day: number, startMs: number, lengthMs: number): Placed {
    let minuteOfDay = Math.floor((startMs - (this.facts.startMs[day] as number)) / 60_000);
    for (const shift of this.facts.clockShifts) {
      if (shift.day === day && startMs >= shift.atMs) {
        minuteOfDay += shift.minutes;
      }
    }
    return { startMs, endMs: startMs + lengthMs, minuteOfDay };
  }

  #slots(): readonly DayReading[] {
    const { day, slots, intervalMs, startMs, unit } = this.facts;
    const fillUnit = this.#isClosed() ? unit : undefined;
    return this.#places(0, slots, (index) => ({
      ...this.#placed(day, (startMs[day] as number) + index * intervalMs, intervalMs),
      fillUnit,
    }));
  }

  #registers(): readonly DayReading[] {
    const { day, slots, windows } = this.facts;
    const from = windows[0]?.registersFrom[day] as number;
    return this.#places(slots, this.#readings - slots, (index) => ({
      ...this.#placed(day, this.#windows.registerStartMs[from + index] as number, 0),
      fillUnit: undefined,
    }));
  }

  #places(
    from: number,
    count: number,
    placed: (index: number) => Placed & { readonly fillUnit: string | undefined },
  ): readonly DayReading[] {
    const shared = { cursor: this.#cursor, reading: this.#reading };
    const { DayReading: Place } = this.#parts;
    return Object.freeze(Array.from({ length: count }, (_, index) => new Place(shared, from + index, placed(index))));
  }

  /** A day as it came. */
  #raw(window: number, day: number): object {
    const { windows, startMs } = this.facts;
    const { intervalMs, slotsFrom, registersFrom } = windows[window] as DayFacts['windows'][number];
    const columns = this.#windows;
    const list = (
      from: number,
      to: number,
      reading: (index: number) => { placed: Placed; value: number; quality: number; unit: number },
    ): readonly object[] =>
      Object.freeze(
        Array.from({ length: to - from }, (_, offset) => {
          const { placed, value, quality, unit } = reading(from + offset);
          const gap = Number.isNaN(value);
          return Object.freeze({
            ...placed,
            value: gap ? undefined : value,
            quality: gap ? 'missing' : this.#cursor.qualities[quality],
            unit: gap ? '' : this.#cursor.texts[unit],
          });
        }),
      );
    const first = slotsFrom[day] as number;
    return Object.freeze({
      ...this.#named(day),
      slots: list(first, slotsFrom[day + 1] as number, (index) => ({
        placed: this.#placed(day, (startMs[day] as number) + (index - first) * intervalMs, intervalMs),
        value: columns.values[index] as number,
        quality: columns.quality[index] as number,
        unit: columns.unit[index] as number,
      })),
      registers: list(registersFrom[day] as number, registersFrom[day + 1] as number, (index) => ({
        placed: this.#placed(day, columns.registerStartMs[index] as number, 0),
        value: columns.registerValues[index] as number,
        quality: columns.registerQuality[index] as number,
        unit: columns.registerUnit[index] as number,
      })),
    });
  }

  #emit(needs: DayNeeds, name: string, emission: Readonly<Record<string, unknown>>): void {
    const cursor = this.#cursor;
    if (!needs.emits.includes(name)) {
      throw cursor.nonsense('there is no emitting on a channel that needs.emits does not name');
    }
    const { startMs, lengthMs } = this.#emittedSpan(emission);
    const index = this.#readings + this.#emitted.size;
    const span = this.#spans + this.#emitted.size;
    if (index >= this.#capacity) {
      throw cursor.nonsense(`a day has at most ${this.#capacity} readings, those it emits among them`);
    }
    const key = `${name} ${startMs} ${lengthMs}`;
    if (this.#emitted.has(key)) {
      throw cursor.nonsense(`the reading at ${new Date(startMs).toISOString()} is emitted twice on ${name}`);
    }
    this.#fillEmitted(index, emission);
    cursor.startMs[span] = startMs;
    cursor.lengthMs[span] = lengthMs;
    cursor.series[span] = this.facts.emits.indexOf(name);
    this.#emitted.add(key);
  }

  #emittedSpan(emission: Readonly<Record<string, unknown>>): { startMs: number; lengthMs: number } {
    const { intervalMs, day, startMs: starts } = this.facts;
    const { startMs } = emission as { startMs: number };
    const { endMs = startMs + intervalMs } = emission as { endMs?: number };
    const lengthMs = endMs - startMs;
    const isWithin = startMs >= (starts[day] as number) && startMs < (starts[day + 1] as number);
    if (!Number.isInteger(startMs) || !Number.isInteger(endMs) || !isWithin || !(lengthMs >= 0 && lengthMs < 2 ** 32)) {
      throw this.#cursor.nonsense('an emitted reading has whole startMs and endMs, and starts within the day');
    }
    if (lengthMs === 0 && emission['endMs'] === undefined) {
      throw this.#cursor.nonsense('the interval of the day is not known: give endMs');
    }
    return { startMs, lengthMs };
  }

  #fillEmitted(index: number, emission: Readonly<Record<string, unknown>>): void {
    const cursor = this.#cursor;
    const reading = this.#reading;
    const { value, quality = 'calculated', method = '', reason, unit = this.facts.unit } = emission;
    cursor.changes[index] = 0;
    cursor.values[index] = 0;
    cursor.quality[index] = 0;
    cursor.unit[index] = 0;
    cursor.method[index] = 0;
    cursor.reason[index] = 0;
    cursor.index = index;
    reading.value = value as number;
    reading.quality = quality as string;
    reading.unit = unit as string;
    reading.method = method as string;
    cursor.mark(15);
    if (reason !== undefined) {
      reading.annotate(reason as string);
    }
  }
}
