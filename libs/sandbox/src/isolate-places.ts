import type { BatchCursor } from './isolate-cursor.ts';
import type { DayFacts, WindowColumns } from './isolate-day.ts';
import type { Reading } from './isolate-reading.ts';

// The classes run inside an isolate, as text: nothing in them may refer to anything outside but the types.

interface Filling {
  readonly quality?: string;
  readonly method?: string;
  readonly reason?: string;
  readonly unit?: string;
}

/**
 * All readings that rules see of days, made once for an isolate and shown again in each run: making and freezing hundreds
 * of objects for each day costs more than the rules. They hold nothing but their place; what stands there is the run's.
 */
export class DayPlaces {
  readonly cursor: BatchCursor;
  readonly reading: Reading;
  readonly #parts: PlaceParts;
  /** Those of the day that the run is at; slots first, then registers. */
  readonly #own: DayReading[] = [];
  /** Those of all windows, by their place in the columns that came with the run. */
  readonly #slots: RawReading[] = [];
  readonly #registers: RawReading[] = [];
  #lists = new Map<string, readonly object[]>();
  #facts: DayFacts | undefined;
  #columns: WindowColumns | undefined;
  #isClosed = false;
  /** When each raw slot starts, its length and its minute: worked out for the days that are looked at. */
  #rawStartMs = new Float64Array(0);
  #rawLengthMs = new Float64Array(0);
  #rawMinute = new Float64Array(0);
  #registerMinute = new Float64Array(0);

  constructor(cursor: BatchCursor, reading: Reading, parts: PlaceParts) {
    this.cursor = cursor;
    this.reading = reading;
    this.#parts = parts;
  }

  /** Turns to another run: what was handed out before shows that one from now on. */
  begin(facts: DayFacts, columns: WindowColumns, isClosed: boolean): void {
    this.#facts = facts;
    this.#columns = columns;
    this.#isClosed = isClosed;
    const slots = columns.values.length;
    if (slots > this.#rawStartMs.length) {
      this.#rawStartMs = new Float64Array(slots);
      this.#rawLengthMs = new Float64Array(slots);
      this.#rawMinute = new Float64Array(slots);
    }
    if (columns.registerValues.length > this.#registerMinute.length) {
      this.#registerMinute = new Float64Array(columns.registerValues.length);
    }
  }

  /** Readings [from, to) of the day. */
  own(from: number, to: number): readonly DayReading[] {
    return this.#list({ kind: 'own', from, to, kept: this.#own }, (index) => new this.#parts.DayReading(this, index));
  }

  /** Slots [from, to) of the windows, which are those of one day. */
  slots(from: number, to: number, day: { readonly day: number; readonly intervalMs: number }): readonly RawReading[] {
    const dayStartMs = (this.#facts as DayFacts).startMs[day.day] as number;
    for (let index = from; index < to; index++) {
      const startMs = dayStartMs + (index - from) * day.intervalMs;
      this.#rawStartMs[index] = startMs;
      this.#rawLengthMs[index] = day.intervalMs;
      this.#rawMinute[index] = this.#minuteOfDay(day.day, startMs);
    }
    return this.#list(
      { kind: 'slots', from, to, kept: this.#slots },
      (index) => new this.#parts.RawReading(this, index, false),
    );
  }

  /** Register readings [from, to) of the windows, which are those of one day. */
  registers(from: number, to: number, day: number): readonly RawReading[] {
    const { registerStartMs } = this.#columns as WindowColumns;
    for (let index = from; index < to; index++) {
      this.#registerMinute[index] = this.#minuteOfDay(day, registerStartMs[index] as number);
    }
    return this.#list(
      { kind: 'registers', from, to, kept: this.#registers },
      (index) => new this.#parts.RawReading(this, index, true),
    );
  }

  startMsAt(index: number): number {
    const { slots, day, startMs, intervalMs, windows } = this.#facts as DayFacts;
    if (index < slots) {
      return (startMs[day] as number) + index * intervalMs;
    }
    const from = windows[0]?.registersFrom[day] as number;
    return (this.#columns as WindowColumns).registerStartMs[from + index - slots] as number;
  }

  endMsAt(index: number): number {
    const { slots, intervalMs } = this.#facts as DayFacts;
    return this.startMsAt(index) + (index < slots ? intervalMs : 0);
  }

  minuteAt(index: number): number {
    return this.#minuteOfDay((this.#facts as DayFacts).day, this.startMsAt(index));
  }

  /** The unit that a gap is filled in; undefined where it can't be filled. */
  fillUnitAt(index: number): string | undefined {
    const { slots, unit } = this.#facts as DayFacts;
    return this.#isClosed && index < slots ? unit : undefined;
  }

  rawStartMs(index: number, isRegister: boolean): number {
    const { registerStartMs } = this.#columns as WindowColumns;
    return (isRegister ? registerStartMs : this.#rawStartMs)[index] as number;
  }

  rawEndMs(index: number, isRegister: boolean): number {
    return this.rawStartMs(index, isRegister) + (isRegister ? 0 : (this.#rawLengthMs[index] as number));
  }

  rawMinute(index: number, isRegister: boolean): number {
    return (isRegister ? this.#registerMinute : this.#rawMinute)[index] as number;
  }

  /** NaN in a gap. */
  rawValue(index: number, isRegister: boolean): number {
    const { registerValues, values } = this.#columns as WindowColumns;
    return (isRegister ? registerValues : values)[index] as number;
  }

  rawQuality(index: number, isRegister: boolean): string {
    const { registerQuality, quality } = this.#columns as WindowColumns;
    return this.cursor.qualities[(isRegister ? registerQuality : quality)[index] as number] as string;
  }

  rawUnit(index: number, isRegister: boolean): string {
    const { registerUnit, unit } = this.#columns as WindowColumns;
    return this.cursor.texts[(isRegister ? registerUnit : unit)[index] as number] as string;
  }

  #minuteOfDay(day: number, startMs: number): number {
    const { startMs: days, clockShifts } = this.#facts as DayFacts;
    let minute = Math.floor((startMs - (days[day] as number)) / 60_000);
    for (const shift of clockShifts) {
      if (shift.day === day && startMs >= shift.atMs) {
        minute += shift.minutes;
      }
    }
    return minute;
  }

  /** A list that was there before, or a new one of places that were, as far as there is room to keep any. */
  #list<Place extends object>(
    { kind, from, to, kept }: { kind: string; from: number; to: number; kept: Place[] },
    make: (index: number) => Place,
  ): readonly Place[] {
    const key = `${kind} ${from} ${to}`;
    const known = this.#lists.get(key) as readonly Place[] | undefined;
    if (known !== undefined) {
      return known;
    }
    const list: Place[] = [];
    for (let index = from; index < to; index++) {
      const place = kept[index] ?? make(index);
      if (index < this.#parts.placesKeptMax) {
        kept[index] = place;
      }
      list.push(place);
    }
    if (this.#lists.size >= this.#parts.listsKeptMax) {
      this.#lists = new Map();
    }
    if (to <= this.#parts.placesKeptMax) {
      this.#lists.set(key, Object.freeze(list));
    }
    return Object.freeze(list);
  }
}

/** What places are made of. */
export interface PlaceParts {
  readonly DayReading: typeof DayReading;
  readonly RawReading: typeof RawReading;
  /** Places, and lists of them, that are kept for later runs: a run that looks at more makes them anew. */
  readonly placesKeptMax: number;
  readonly listsKeptMax: number;
}

/** A reading as it came: a place in the raw columns. */
export class RawReading {
  readonly #places: DayPlaces;
  readonly #index: number;
  readonly #isRegister: boolean;

  constructor(places: DayPlaces, index: number, isRegister: boolean) {
    this.#places = places;
    this.#index = index;
    this.#isRegister = isRegister;
    Object.freeze(this);
  }

  get startMs(): number {
    return this.#places.rawStartMs(this.#index, this.#isRegister);
  }

  get endMs(): number {
    return this.#places.rawEndMs(this.#index, this.#isRegister);
  }

  get minuteOfDay(): number {
    return this.#places.rawMinute(this.#index, this.#isRegister);
  }

  get value(): number | undefined {
    const value = this.#places.rawValue(this.#index, this.#isRegister);
    return value === value ? value : undefined;
  }

  get quality(): string {
    return this.value === undefined ? 'missing' : this.#places.rawQuality(this.#index, this.#isRegister);
  }

  get unit(): string {
    return this.value === undefined ? '' : this.#places.rawUnit(this.#index, this.#isRegister);
  }
}

/** A slot or a register reading of the day: a place in the shared columns. */
export class DayReading {
  readonly #places: DayPlaces;
  readonly #index: number;

  constructor(places: DayPlaces, index: number) {
    this.#places = places;
    this.#index = index;
    Object.freeze(this);
  }

  get startMs(): number {
    return this.#places.startMsAt(this.#index);
  }

  get endMs(): number {
    return this.#places.endMsAt(this.#index);
  }

  get minuteOfDay(): number {
    return this.#places.minuteAt(this.#index);
  }

  // eslint-disable-next-line @typescript-eslint/related-getter-setter-pairs -- a gap has none, and none can be set
  get value(): number | undefined {
    return this.#isGap() ? undefined : this.#places.cursor.values[this.#index];
  }

  set value(value: number) {
    this.#at('value').value = value;
  }

  get quality(): string {
    return this.#isGap()
      ? 'missing'
      : (this.#places.cursor.qualities[this.#places.cursor.quality[this.#index] as number] as string);
  }

  set quality(quality: string) {
    this.#at('quality').quality = quality;
  }

  get unit(): string {
    return this.#isGap() ? '' : (this.#places.cursor.texts[this.#places.cursor.unit[this.#index] as number] as string);
  }

  set unit(unit: string) {
    this.#at('unit').unit = unit;
  }

  get code(): string {
    return this.#places.cursor.texts[this.#places.cursor.code[this.#index] as number] as string;
  }

  get method(): string {
    return this.#isGap()
      ? ''
      : (this.#places.cursor.texts[this.#places.cursor.method[this.#index] as number] as string);
  }

  set method(method: string) {
    this.#at('method').method = method;
  }

  get reason(): string {
    const cursor = this.#places.cursor;
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
    const cursor = this.#places.cursor;
    const index = this.#index;
    if (!this.#isGap()) {
      throw cursor.nonsense('fill is for gaps: this slot has a value, set that');
    }
    const fillUnit = this.#places.fillUnitAt(index);
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
    return this.#places.cursor.quality[this.#index] === 4 || (this.#places.cursor.changes[this.#index] as number) >= 32;
  }

  /** The reading that moves, at this place. */
  #at(what: string): Reading {
    if (what !== '' && this.#isGap()) {
      throw this.#places.cursor.nonsense(`a gap has no ${what} to set: fill(value) it`);
    }
    this.#places.cursor.index = this.#index;
    return this.#places.reading;
  }
}
