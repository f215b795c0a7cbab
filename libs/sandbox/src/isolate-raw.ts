import type { BatchCursor } from './isolate-cursor.ts';
import type { RunFacts } from './isolate-day.ts';

// The classes run inside an isolate, as text: nothing in them may refer to anything outside but the types.

/** The raw columns of a window's slots, or of its register readings. */
export interface RawColumns {
  readonly values: Float64Array;
  readonly quality: Uint8Array;
  readonly unit: Uint16Array;
  /** Of register readings alone: a slot's start follows from its day. */
  readonly startMs: Float64Array | undefined;
  /** Those of day i lie in [from[i], from[i + 1]). */
  readonly from: readonly number[];
  /** 0 for register readings. */
  readonly intervalMs: number;
}

/**
 * The raw slots of one window, or its register readings: objects made once for an isolate, and shown again in each run.
 * They hold nothing but their place; what stands there is the run's.
 */
export class RawList {
  readonly cursor: BatchCursor;
  values: Float64Array = new Float64Array(0);
  quality: Uint8Array = new Uint8Array(0);
  unit: Uint16Array = new Uint16Array(0);
  readonly #parts: RawParts;
  readonly #kept: RawReading[] = [];
  #lists = new Map<number, RawReading[]>();
  #columns: RawColumns | undefined;
  #run: RunFacts | undefined;
  /** The day that was looked for last. */
  #day = 0;

  constructor(cursor: BatchCursor, parts: RawParts) {
    this.cursor = cursor;
    this.#parts = parts;
  }

  /** Turns to another run: what was handed out before shows that one from now on. */
  begin(run: RunFacts, columns: RawColumns): void {
    this.values = columns.values;
    this.quality = columns.quality;
    this.unit = columns.unit;
    this.#columns = columns;
    this.#run = run;
    this.#day = 0;
  }

  /** Those of one day, in a list of the caller's own: a frozen one takes the engine ten times as long to read. */
  ofDay(day: number): RawReading[] {
    const { from: starts } = this.#columns as RawColumns;
    const [from, to] = [starts[day] as number, starts[day + 1] as number];
    const { placesKeptMax, listsKeptMax } = this.#parts;
    const key = from * 2 ** 20 + to - from;
    const known = this.#lists.get(key);
    if (known !== undefined) {
      return known.slice();
    }
    const list: RawReading[] = [];
    for (let index = from; index < to; index++) {
      const reading = this.#kept[index] ?? new this.#parts.RawReading(this, index);
      if (index < placesKeptMax) {
        this.#kept[index] = reading;
      }
      list.push(reading);
    }
    if (this.#lists.size >= listsKeptMax) {
      this.#lists = new Map();
    }
    if (to <= placesKeptMax) {
      this.#lists.set(key, list);
    }
    return list.slice();
  }

  startMs(index: number): number {
    const { startMs, from, intervalMs } = this.#columns as RawColumns;
    if (startMs !== undefined) {
      return startMs[index] as number;
    }
    const day = this.#dayOf(index);
    return ((this.#run as RunFacts).startMs[day] as number) + (index - (from[day] as number)) * intervalMs;
  }

  endMs(index: number): number {
    return this.startMs(index) + (this.#columns as RawColumns).intervalMs;
  }

  minuteOfDay(index: number): number {
    return this.#parts.minuteOfDay(this.#run as RunFacts, this.#dayOf(index), this.startMs(index));
  }

  #dayOf(index: number): number {
    const { from } = this.#columns as RawColumns;
    if (index < (from[this.#day] as number)) {
      this.#day = 0;
    }
    while (index >= (from[this.#day + 1] as number)) {
      this.#day += 1;
    }
    return this.#day;
  }
}

/** What lists are made of. */
export interface RawParts {
  readonly RawReading: typeof RawReading;
  readonly minuteOfDay: typeof minuteOfDay;
  /** Readings, and lists of them, that are kept for later runs: a run that looks at more makes them anew. */
  readonly placesKeptMax: number;
  readonly listsKeptMax: number;
}

/** A reading as it came: a place in the raw columns. */
export class RawReading {
  readonly #list: RawList;
  readonly #index: number;

  constructor(list: RawList, index: number) {
    this.#list = list;
    this.#index = index;
    Object.freeze(this);
  }

  get startMs(): number {
    return this.#list.startMs(this.#index);
  }

  get endMs(): number {
    return this.#list.endMs(this.#index);
  }

  get minuteOfDay(): number {
    return this.#list.minuteOfDay(this.#index);
  }

  get value(): number | undefined {
    const value = this.#list.values[this.#index] as number;
    return value === value ? value : undefined;
  }

  get quality(): string {
    const { cursor, quality } = this.#list;
    return this.value === undefined ? 'missing' : (cursor.qualities[quality[this.#index] as number] as string);
  }

  get unit(): string {
    const { cursor, unit } = this.#list;
    return this.value === undefined ? '' : (cursor.texts[unit[this.#index] as number] as string);
  }
}

/** Minutes since midnight that the clock on the wall shows. Runs inside the isolate, as text. */
export function minuteOfDay({ startMs, clockShifts }: RunFacts, day: number, atMs: number): number {
  let minute = Math.floor((atMs - (startMs[day] as number)) / 60_000);
  for (const shift of clockShifts) {
    if (shift.day === day && atMs >= shift.atMs) {
      minute += shift.minutes;
    }
  }
  return minute;
}
