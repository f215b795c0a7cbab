import type { BatchCursor } from './isolate-cursor.ts';
import type { Reading } from './isolate-reading.ts';
import type { RunFacts } from './isolate-run.ts';
import type { columnFor, ShownValues } from './isolate-shown.ts';

// The classes run inside an isolate, as text: nothing in them may refer to anything outside but the types.

interface Filling {
  readonly quality?: string;
  readonly method?: string;
  readonly reason?: string;
  readonly unit?: string;
}

/** Columns that readings lie in: those of the batch, or the raw ones of a window. */
export interface PlacedColumns {
  readonly quality: Uint8Array;
  readonly unit: Uint16Array;
}

/** Where readings of a day lie in columns, one behind the other, and their values. */
export interface PlacedReadings {
  readonly columns: PlacedColumns;
  /** Where in them they begin. */
  readonly base: number;
  readonly values: ShownValues;
}

/** When they are. */
export interface PlacedDay {
  readonly run: RunFacts;
  readonly day: number;
  /** 0 for register readings. */
  readonly intervalMs: number;
  /** Starts of register readings, the first at `startsFrom`; a slot's follows from its day. */
  readonly startMs: Float64Array | undefined;
  readonly startsFrom: number;
  /** The unit that a gap is filled in; undefined where none can be filled. */
  readonly fillUnit: string | undefined;
}

/** What places are made of. */
export interface PlaceParts {
  readonly DayReading: typeof DayReading;
  readonly minuteOfDay: typeof minuteOfDay;
  readonly reading: Reading;
  /** A base from which no index lies in any column. */
  readonly nowhere: number;
  readonly columnFor: typeof columnFor;
}

/**
 * The slots that rules see of a day, or its register readings: made once for an isolate and shown again for each day.
 * Making and freezing hundreds of objects for each day costs more than the rules. They hold nothing but their place; what
 * stands there is the day's. Rules ask for nothing as often as for values, so these lie ready as rules get them: made of a
 * column they would be made anew for each look.
 */
export class DayPlaces {
  readonly cursor: BatchCursor;
  /** Where in the columns they begin. */
  base = 0;
  /** Of the day that is run: rules may change them. Days around it are as they came. */
  readonly isOwn: boolean;
  readonly #parts: PlaceParts;
  readonly #kept: DayReading[] = [];
  #list: DayReading[] = [];
  #columns: PlacedColumns;
  #values: ShownValues | undefined;
  #shown: (number | undefined)[] | undefined;
  /** When the values were shown, counted in changes. */
  #marks = -1;
  #day: PlacedDay | undefined;

  constructor(cursor: BatchCursor, isOwn: boolean, parts: PlaceParts) {
    this.cursor = cursor;
    this.#columns = cursor;
    this.isOwn = isOwn;
    this.#parts = parts;
  }

  /** Turns to other readings: what was handed out before shows those from now on. */
  enter(day: PlacedDay, { columns, base, values }: PlacedReadings): void {
    this.#day = day;
    this.#columns = columns;
    this.base = base;
    this.#values = values;
    this.#shown = undefined;
  }

  /** In a list of the caller's own: a frozen one takes the engine ten times as long to read. */
  list(): DayReading[] {
    const { count } = this.#fresh();
    this.#shown = undefined;
    if (this.#list.length !== count) {
      for (let index = this.#kept.length; index < count; index++) {
        this.#kept.push(new this.#parts.DayReading(this, index));
      }
      this.#list = this.#kept.slice(0, count);
    }
    return this.#list.slice();
  }

  /** The value of each; undefined for a gap, and for a reading that was refused. */
  get shown(): (number | undefined)[] {
    this.#shown ??= this.#fresh().list();
    return this.#shown;
  }

  isGap(index: number): boolean {
    return (this.#values as ShownValues).isGap(index);
  }

  /** Their values, NaN for a gap, in a column of the caller's own: the one that it got before, where it is of that length. */
  column(known: Float64Array | undefined): Float64Array {
    const values = this.#values as ShownValues;
    const column = this.#parts.columnFor(known, values.count);
    values.copyTo(column);
    return column;
  }

  get keptCount(): number {
    return this.#kept.length;
  }

  startMs(index: number): number {
    const { run, day, intervalMs, startMs, startsFrom } = this.#day as PlacedDay;
    return startMs === undefined
      ? (run.startMs[day] as number) + index * intervalMs
      : (startMs[startsFrom + index] as number);
  }

  endMs(index: number): number {
    return this.startMs(index) + (this.#day as PlacedDay).intervalMs;
  }

  minuteOfDay(index: number): number {
    const { run, day } = this.#day as PlacedDay;
    return this.#parts.minuteOfDay(run, day, this.startMs(index));
  }

  quality(index: number): string {
    return this.isGap(index)
      ? 'missing'
      : (this.cursor.qualities[this.#columns.quality[this.base + index] as number] as string);
  }

  unit(index: number): string {
    return this.isGap(index) ? '' : (this.cursor.texts[this.#columns.unit[this.base + index] as number] as string);
  }

  /** The reading that moves, at a place of the day. Throws for days around it. */
  at(index: number): Reading {
    if (!this.isOwn) {
      throw this.cursor.nonsense('days around are as they came: change the slots of the day itself');
    }
    this.cursor.index = this.base + index;
    return this.#parts.reading;
  }

  /** Nothing is shown any more: what a rule left behind (a promise) changes nothing that counts. */
  leave(): void {
    this.base = this.#parts.nowhere;
  }

  /** The unit that a gap is filled in; undefined where none can be filled. */
  get fillUnit(): string | undefined {
    return (this.#day as PlacedDay).fillUnit;
  }

  /** The values as they stand now: rules, and the undoing of what they did, change those of the day itself. */
  #fresh(): ShownValues {
    const values = this.#values as ShownValues;
    if (this.isOwn && this.#marks !== this.cursor.marks) {
      this.#marks = this.cursor.marks;
      values.forget();
    }
    return values;
  }
}

/** A slot or a register reading: a place. */
export class DayReading {
  readonly #places: DayPlaces;
  readonly #index: number;

  constructor(places: DayPlaces, index: number) {
    this.#places = places;
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
    return this.#places.shown[this.#index];
  }

  set value(value: number) {
    this.#at('value').value = value;
    this.#places.shown[this.#index] = value;
  }

  get quality(): string {
    return this.#places.quality(this.#index);
  }

  set quality(quality: string) {
    this.#at('quality').quality = quality;
  }

  get unit(): string {
    return this.#places.unit(this.#index);
  }

  set unit(unit: string) {
    this.#at('unit').unit = unit;
  }

  get code(): string {
    return this.#text('code');
  }

  get method(): string {
    return this.#isGap() ? '' : this.#text('method');
  }

  set method(method: string) {
    this.#at('method').method = method;
  }

  get reason(): string {
    const { cursor, base } = this.#places;
    const noted = ((cursor.changes[base + this.#index] as number) & 48) !== 0;
    return noted ? this.#text('reason') : '';
  }

  annotate(reason: string): void {
    if (!this.#isGap()) {
      this.#at('').annotate(reason);
    }
  }

  reject(reason: string): void {
    if (!this.#isGap()) {
      this.#at('').reject(reason);
      this.#places.shown[this.#index] = undefined;
    }
  }

  fill(value: number, how: Filling = {}): boolean {
    const places = this.#places;
    const { cursor, fillUnit } = places;
    const reading = this.#at('');
    const { index } = cursor;
    if (!this.#isGap()) {
      throw cursor.nonsense('fill is for gaps: this slot has a value, set that');
    }
    if (fillUnit === undefined || (cursor.changes[index] as number) >= 32) {
      return false;
    }
    cursor.quality[index] = 0;
    cursor.method[index] = 0;
    reading.value = value;
    cursor.mark(3);
    places.shown[this.#index] = value;
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
    return this.#places.isGap(this.#index);
  }

  /** Days around tell of a reading what every source tells. */
  #text(of: 'code' | 'method' | 'reason'): string {
    const { cursor, base, isOwn } = this.#places;
    return isOwn ? (cursor.texts[cursor[of][base + this.#index] as number] as string) : '';
  }

  /** The reading that moves, at this place. */
  #at(what: string): Reading {
    if (what !== '' && this.#isGap()) {
      throw this.#places.cursor.nonsense(`a gap has no ${what} to set: fill(value) it`);
    }
    return this.#places.at(this.#index);
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
