import type { BatchCursor } from './isolate-cursor.ts';
import type { DayPlaces, DayReading } from './isolate-places.ts';
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

/** The day that a run is at, with all around it. A step gets a view of it that shows what the step needs. */
export class Days {
  readonly facts: DayFacts;
  readonly #cursor: BatchCursor;
  readonly #reading: Reading;
  readonly #places: DayPlaces;
  readonly #readings: number;
  readonly #spans: number;
  readonly #capacity: number;
  readonly #emitted = new Set<string>();
  readonly #named: (object | undefined)[] = [];
  readonly #rawDays = new Map<number, object>();

  /** `windows`: the raw columns that came with the run. */
  constructor(
    places: DayPlaces,
    facts: DayFacts,
    counts: {
      readonly readings: number;
      readonly spans: number;
      readonly capacity: number;
      readonly windows: WindowColumns;
    },
  ) {
    this.facts = facts;
    this.#places = places;
    this.#cursor = places.cursor;
    this.#reading = places.reading;
    places.begin(facts, counts.windows, this.#isClosed());
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
      ...this.#name(day),
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

  #name(day: number): object {
    const { firstDay, startMs } = this.facts;
    const number = firstDay + day;
    return (this.#named[day] ??= {
      date: new Date(number * 86_400_000).toISOString().slice(0, 10),
      weekday: ((((number + 3) % 7) + 7) % 7) + 1,
      startMs: startMs[day] as number,
      endMs: startMs[day + 1] as number,
    });
  }

  #isClosed(): boolean {
    const { day, startMs, closedThroughMs } = this.facts;
    return (startMs[day + 1] as number) <= closedThroughMs;
  }

  #slots(): readonly DayReading[] {
    return this.#places.own(0, this.facts.slots);
  }

  #registers(): readonly DayReading[] {
    return this.#places.own(this.facts.slots, this.#readings);
  }

  /** A day as it came. */
  #raw(window: number, day: number): object {
    const { windows, startMs } = this.facts;
    const key = window * startMs.length + day;
    let raw = this.#rawDays.get(key);
    if (raw === undefined) {
      const { intervalMs, slotsFrom, registersFrom } = windows[window] as DayFacts['windows'][number];
      raw = Object.freeze({
        ...this.#name(day),
        slots: this.#places.slots(slotsFrom[day] as number, slotsFrom[day + 1] as number, { day, intervalMs }),
        registers: this.#places.registers(registersFrom[day] as number, registersFrom[day + 1] as number, day),
      });
      this.#rawDays.set(key, raw);
    }
    return raw;
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
