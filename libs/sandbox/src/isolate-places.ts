import type { BatchCursor } from './isolate-cursor.ts';
import type { RunFacts } from './isolate-day.ts';
import type { minuteOfDay } from './isolate-raw.ts';
import type { Reading } from './isolate-reading.ts';

// The classes run inside an isolate, as text: nothing in them may refer to anything outside but the types.

interface Filling {
  readonly quality?: string;
  readonly method?: string;
  readonly reason?: string;
  readonly unit?: string;
}

/** Where the day that a run is at lies in the shared columns, and when it is. */
export interface PlacedDay {
  readonly day: number;
  readonly base: number;
  readonly slots: number;
  readonly isClosed: boolean;
  /** Starts of its register readings. */
  readonly registerStartMs: Float64Array;
}

/**
 * The readings that rules see of the day that a run is at: made once for an isolate and shown again for each day. Making
 * and freezing hundreds of objects for each day costs more than the rules. They hold nothing but their place.
 */
export class DayPlaces {
  readonly cursor: BatchCursor;
  readonly reading: Reading;
  readonly #parts: PlaceParts;
  readonly #kept: DayReading[] = [];
  #lists = new Map<number, DayReading[]>();
  #run: RunFacts | undefined;
  #day: PlacedDay | undefined;

  constructor(cursor: BatchCursor, reading: Reading, parts: PlaceParts) {
    this.cursor = cursor;
    this.reading = reading;
    this.#parts = parts;
  }

  /** Turns to another day: what was handed out before shows that one from now on. */
  enter(run: RunFacts, day: PlacedDay): void {
    this.#run = run;
    this.#day = day;
    this.cursor.base = day.base;
  }

  /** Nothing is shown any more: what a rule left behind (a promise) changes nothing that counts. */
  leave(): void {
    this.cursor.base = this.#parts.nowhere;
    this.cursor.index = -1;
  }

  /** Readings [from, to) of the day, in a list of the caller's own: a frozen one takes the engine ten times as long to read. */
  list(from: number, to: number): DayReading[] {
    const key = from * 8_192 + to;
    const known = this.#lists.get(key);
    if (known !== undefined) {
      return known.slice();
    }
    const list: DayReading[] = [];
    for (let index = from; index < to; index++) {
      list.push((this.#kept[index] ??= new this.#parts.DayReading(this, index)));
    }
    if (this.#lists.size >= this.#parts.listsKeptMax) {
      this.#lists = new Map();
    }
    this.#lists.set(key, list);
    return list.slice();
  }

  startMs(index: number): number {
    const { day, slots, registerStartMs } = this.#day as PlacedDay;
    const { startMs, intervalMs } = this.#run as RunFacts;
    return index < slots ? (startMs[day] as number) + index * intervalMs : (registerStartMs[index - slots] as number);
  }

  endMs(index: number): number {
    return this.startMs(index) + (index < (this.#day as PlacedDay).slots ? (this.#run as RunFacts).intervalMs : 0);
  }

  minuteOfDay(index: number): number {
    return this.#parts.minuteOfDay(this.#run as RunFacts, (this.#day as PlacedDay).day, this.startMs(index));
  }

  /** The unit that a gap is filled in; undefined where it can't be filled. */
  fillUnit(index: number): string | undefined {
    const { isClosed, slots } = this.#day as PlacedDay;
    return isClosed && index < slots ? (this.#run as RunFacts).unit : undefined;
  }
}

/** What places are made of. */
export interface PlaceParts {
  readonly DayReading: typeof DayReading;
  readonly minuteOfDay: typeof minuteOfDay;
  readonly listsKeptMax: number;
  /** A base from which no index lies in any column. */
  readonly nowhere: number;
}

/** A slot or a register reading of the day: a place in the shared columns. */
export class DayReading {
  readonly #places: DayPlaces;
  readonly #cursor: BatchCursor;
  readonly #index: number;

  constructor(places: DayPlaces, index: number) {
    this.#places = places;
    this.#cursor = places.cursor;
    this.#index = index;
    Object.freeze(this);
  }

  get startMs(): number {
    return this.#places.startMs(this.#index);
  }

  get endMs(): number {
    return this.#places.endMs(this.#index);
  }

  get minuteOfDay(): number {
    return this.#places.minuteOfDay(this.#index);
  }

  // eslint-disable-next-line @typescript-eslint/related-getter-setter-pairs -- a gap has none, and none can be set
  get value(): number | undefined {
    const cursor = this.#cursor;
    const index = cursor.base + this.#index;
    // As #isGap has it: rules ask for nothing more often.
    return cursor.quality[index] === 4 || (cursor.changes[index] as number) >= 32 ? undefined : cursor.values[index];
  }

  set value(value: number) {
    this.#at('value').value = value;
  }

  get quality(): string {
    const cursor = this.#cursor;
    return this.#isGap()
      ? 'missing'
      : (cursor.qualities[cursor.quality[cursor.base + this.#index] as number] as string);
  }

  set quality(quality: string) {
    this.#at('quality').quality = quality;
  }

  get unit(): string {
    const cursor = this.#cursor;
    return this.#isGap() ? '' : (cursor.texts[cursor.unit[cursor.base + this.#index] as number] as string);
  }

  set unit(unit: string) {
    this.#at('unit').unit = unit;
  }

  get code(): string {
    const cursor = this.#cursor;
    return cursor.texts[cursor.code[cursor.base + this.#index] as number] as string;
  }

  get method(): string {
    const cursor = this.#cursor;
    return this.#isGap() ? '' : (cursor.texts[cursor.method[cursor.base + this.#index] as number] as string);
  }

  set method(method: string) {
    this.#at('method').method = method;
  }

  get reason(): string {
    const cursor = this.#cursor;
    const index = cursor.base + this.#index;
    const noted = ((cursor.changes[index] as number) & 48) !== 0;
    return noted ? (cursor.texts[cursor.reason[index] as number] as string) : '';
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
    const index = cursor.base + this.#index;
    if (!this.#isGap()) {
      throw cursor.nonsense('fill is for gaps: this slot has a value, set that');
    }
    const fillUnit = this.#places.fillUnit(this.#index);
    if (fillUnit === undefined || (cursor.changes[index] as number) >= 32) {
      return false;
    }
    cursor.quality[index] = 0;
    cursor.method[index] = 0;
    const reading = this.#at('');
    reading.value = value;
    cursor.mark(3);
    reading.quality = how.quality ?? 'estimated';
    reading.unit = how.unit ?? fillUnit;
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
    const cursor = this.#cursor;
    const index = cursor.base + this.#index;
    return cursor.quality[index] === 4 || (cursor.changes[index] as number) >= 32;
  }

  /** The reading that moves, at this place. */
  #at(what: string): Reading {
    const cursor = this.#cursor;
    if (what !== '' && this.#isGap()) {
      throw cursor.nonsense(`a gap has no ${what} to set: fill(value) it`);
    }
    cursor.index = cursor.base + this.#index;
    return this.#places.reading;
  }
}
