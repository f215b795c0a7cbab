import type { BatchCursor } from './isolate-cursor.ts';
import type { RuleContext } from './isolate-flow.ts';
import type { DayPlaces } from './isolate-places.ts';
import type { RawColumns, RawList } from './isolate-raw.ts';
import type { Reading } from './isolate-reading.ts';

// The class runs inside an isolate, as text: nothing in it may refer to anything outside but the types.

/** What the host tells of a run of days beside its columns. */
export interface RunFacts {
  readonly meter: string;
  readonly channel: string;
  readonly unit: string;
  readonly intervalMs: number;
  readonly firstDay: number;
  readonly startMs: readonly number[];
  readonly clockShifts: readonly { readonly day: number; readonly atMs: number; readonly minutes: number }[];
  readonly closedThroughMs: number;
  /** All channels that the flow emits on: an emission names one by its place. */
  readonly emits: readonly string[];
  /** What the registry says, each once; days name theirs by its place. */
  readonly tags: readonly Readonly<Record<string, unknown>>[];
  readonly days: readonly ToldDay[];
  readonly windows: readonly {
    readonly channel: string;
    readonly intervalMs: number;
    readonly slotsFrom: readonly number[];
    readonly registersFrom: readonly number[];
  }[];
}

/** One of the days that are run, and how much of the columns is its own. */
export interface ToldDay {
  readonly day: number;
  readonly slots: number;
  readonly registers: number;
  readonly spans: number;
  readonly tags: number;
}

/** The raw columns of one window. */
export interface WindowColumns {
  readonly slots: RawColumns;
  readonly registers: RawColumns;
}

/** What one step may look at. */
export interface DayNeeds {
  readonly reads: readonly string[];
  readonly emits: readonly string[];
  readonly lookBackDays: number;
  readonly lookAheadDays: number;
  readonly tags: readonly string[];
}

/** How a step reaches what it needs: the same for all days, always of the one that the run is at. */
interface Reach {
  readonly earlier: (days: number) => object;
  readonly later: (days: number) => object;
  readonly other: (name: string, daysLater?: number) => object;
  readonly emit: (name: string, emission: Readonly<Record<string, unknown>>) => void;
  /** Days around that it asked for, by their place; emptied for each day. */
  raws: (object | undefined)[];
  /** What it got beside the day last, and of which tags that is made. */
  context: (RuleContext & { readonly tags: object }) | undefined;
  tags: Readonly<Record<string, unknown>> | undefined;
}

/** The days of a run, one after the other, with all around them. A step gets a view of a day that shows what it needs. */
export class Days {
  readonly #cursor: BatchCursor;
  readonly #reading: Reading;
  readonly #places: DayPlaces;
  readonly #makeList: () => RawList;
  readonly #capacity: number;
  /** Slots and registers of each window. */
  readonly #lists: { readonly slots: RawList; readonly registers: RawList }[] = [];
  readonly #reaches = new Map<DayNeeds, Reach>();
  #dates = new Map<number, string>();
  #given: RunFacts | undefined;
  #windows: readonly WindowColumns[] = [];
  #readings = 0;
  #spans = 0;
  /** Where the day lies that the run is at. */
  #place = -1;
  #base = 0;
  #span = 0;
  /** Emitted on the days before, and on this one. */
  #emittedBefore = 0;
  readonly #emitted = new Set<string>();
  readonly #failed = new Map<number, { readonly step: number; readonly code: string; readonly message: string }>();
  /** There is no room for what the days emit together. */
  crowded = false;

  constructor(places: DayPlaces, makeList: () => RawList, capacity: number) {
    this.#places = places;
    this.#cursor = places.cursor;
    this.#reading = places.reading;
    this.#makeList = makeList;
    this.#capacity = capacity;
  }

  /** Turns to another run. */
  begin(
    facts: RunFacts,
    { windows, readings, spans }: { windows: readonly WindowColumns[]; readings: number; spans: number },
  ): void {
    this.#given = facts;
    this.#windows = windows;
    this.#readings = readings;
    this.#spans = spans;
    this.#emittedBefore = 0;
    this.#emitted.clear();
    this.#failed.clear();
    this.crowded = false;
    this.rewind();
    windows.forEach((window, index) => {
      const lists = (this.#lists[index] ??= { slots: this.#makeList(), registers: this.#makeList() });
      lists.slots.begin(facts, window.slots);
      lists.registers.begin(facts, window.registers);
    });
  }

  /** Before the first day. */
  rewind(): void {
    this.#place = -1;
    this.#base = 0;
    this.#span = 0;
  }

  /** Goes to the next day; false after the last. */
  next(): boolean {
    const { days, startMs, closedThroughMs } = this.#facts;
    if (this.#place >= 0) {
      const { slots, registers, spans } = this.#told;
      this.#base += slots + registers;
      this.#span += spans;
    }
    this.#emittedBefore += this.#emitted.size;
    if (this.#emitted.size > 0) {
      this.#emitted.clear();
    }
    this.#place += 1;
    const told = days[this.#place];
    if (told === undefined) {
      return false;
    }
    const own = (this.#windows[0] as WindowColumns).registers;
    this.#places.enter(this.#facts, {
      ...{ day: told.day, base: this.#base, slots: told.slots },
      isClosed: (startMs[told.day + 1] as number) <= closedThroughMs,
      registerStartMs: (own.startMs as Float64Array).subarray(own.from[told.day]),
    });
    this.#cursor.failuresBefore = this.#cursor.failures.length;
    return true;
  }

  /** Nothing that a rule left behind reaches a day any more. */
  leave(): void {
    this.#place = -1;
    this.#places.leave();
  }

  /** The day's readings [from, to) in the columns, and the first of its spans. */
  get range(): { readonly from: number; readonly to: number; readonly fromSpan: number; readonly toSpan: number } {
    const { slots, registers, spans } = this.#told;
    const to = this.#base + slots + registers;
    return { from: this.#base, to, fromSpan: this.#span, toSpan: this.#span + spans };
  }

  get count(): number {
    return this.#facts.days.length;
  }

  get hasFailed(): boolean {
    return this.#failed.has(this.#place);
  }

  /** The day as a whole fails: nothing that its rules did counts. */
  fail(failure: { readonly step: number; readonly code: string; readonly message: string }): void {
    const { from, to } = this.range;
    this.#cursor.changes.fill(0, from, to);
    this.#cursor.failures.length = this.#cursor.failuresBefore;
    this.keepEmitted(0);
    this.#failed.set(this.#place, failure);
  }

  get failedCount(): number {
    return this.#failed.size;
  }

  /** Which days failed, as JSON. */
  get failures(): string {
    return JSON.stringify([...this.#failed].map(([place, failure]) => ({ place, ...failure })));
  }

  /** Of all days so far. */
  get emittedAll(): number {
    return this.#emittedBefore + this.#emitted.size;
  }

  get emitted(): number {
    return this.#emitted.size;
  }

  get series(): { readonly meter: string; readonly channel: string } {
    return this.#facts;
  }

  /** What a step gets beside the day: its parameters, and those of the day's tags that it needs. */
  context(needs: DayNeeds, { parameters }: RuleContext): RuleContext & { readonly tags: object } {
    const given = this.#facts.tags[this.#told.tags] as Readonly<Record<string, unknown>>;
    const reach = this.#reach(needs);
    // Days of one run mostly have the same.
    if (reach.context === undefined || reach.tags !== given) {
      const tags: Record<string, unknown> = {};
      needs.tags.forEach((name) => {
        if (Object.hasOwn(given, name)) {
          Object.defineProperty(tags, name, { value: given[name], enumerable: true });
        }
      });
      reach.tags = given;
      reach.context = Object.freeze({ parameters, tags: Object.freeze(tags) });
    }
    return reach.context;
  }

  /** Takes back what the day emitted after the first so many. */
  keepEmitted(count: number): void {
    [...this.#emitted].slice(count).forEach((key) => {
      this.#emitted.delete(key);
      // What lies behind the last reading says nothing.
      this.#cursor.changes[this.#readings + this.emittedAll] = 0;
    });
  }

  /** What a step sees of the day. */
  view(needs: DayNeeds): object {
    const { meter, channel, unit, intervalMs, startMs, closedThroughMs, firstDay } = this.#facts;
    const { day, slots, registers } = this.#told;
    const reach = this.#reach(needs);
    const { earlier, later, other, emit } = reach;
    if (reach.raws.length > 0) {
      reach.raws = [];
    }
    const endMs = startMs[day + 1] as number;
    return Object.freeze({
      date: this.#date(firstDay + day),
      weekday: this.#weekday(firstDay + day),
      startMs: startMs[day] as number,
      endMs,
      closed: endMs <= closedThroughMs,
      meter,
      channel,
      unit,
      intervalMs,
      slots: this.#places.list(0, slots),
      registers: this.#places.list(slots, slots + registers),
      earlier,
      later,
      other,
      emit,
    });
  }

  get #facts(): RunFacts {
    return this.#given as RunFacts;
  }

  get #told(): ToldDay {
    const told = this.#facts.days[this.#place];
    if (told === undefined) {
      throw this.#cursor.nonsense('the day is over: what a rule leaves for later comes too late');
    }
    return told;
  }

  #reach(needs: DayNeeds): Reach {
    let reach = this.#reaches.get(needs);
    if (reach === undefined) {
      const within = (days: number, most: number, what: string): number => {
        if (!Number.isInteger(days) || days < 0 || days > most) {
          throw this.#cursor.nonsense(`${what}(${String(days)}) is not to be had: needs says ${most} days`);
        }
        return days;
      };
      const made: Reach = {
        raws: [],
        context: undefined,
        tags: undefined,
        earlier: (days) => this.#raw(made, 0, -within(days, needs.lookBackDays, 'earlier')),
        later: (days) => this.#raw(made, 0, within(days, needs.lookAheadDays, 'later')),
        other: (name, daysLater = 0) => {
          const window = this.#facts.windows.findIndex((each, index) => index > 0 && each.channel === name);
          if (window < 0 || !needs.reads.includes(name)) {
            throw this.#cursor.nonsense(`the channel ${name} is not to be had: name it in needs.reads`);
          }
          const days =
            daysLater < 0
              ? -within(-daysLater, needs.lookBackDays, 'other')
              : within(daysLater, needs.lookAheadDays, 'other');
          return this.#raw(made, window, days);
        },
        emit: (name, emission) => {
          this.#emit(needs, name, emission);
        },
      };
      [made.earlier, made.later, made.other, made.emit].forEach((each) => Object.freeze(each));
      this.#reaches.set(needs, made);
      reach = made;
    }
    return reach;
  }

  #date(number: number): string {
    let date = this.#dates.get(number);
    if (date === undefined) {
      if (this.#dates.size >= 1_000) {
        this.#dates = new Map();
      }
      date = new Date(number * 86_400_000).toISOString().slice(0, 10);
      this.#dates.set(number, date);
    }
    return date;
  }

  #weekday(number: number): number {
    return ((((number + 3) % 7) + 7) % 7) + 1;
  }

  /** A day as it came, so many days from the one that the run is at; made once for a step and a day. */
  #raw(reach: Reach, window: number, daysLater: number): object {
    const { startMs, firstDay } = this.#facts;
    const day = this.#told.day + daysLater;
    const key = window * startMs.length + day;
    let raw = reach.raws[key];
    if (raw === undefined) {
      const { slots, registers } = this.#lists[window] as { readonly slots: RawList; readonly registers: RawList };
      raw = Object.freeze({
        date: this.#date(firstDay + day),
        weekday: this.#weekday(firstDay + day),
        startMs: startMs[day] as number,
        endMs: startMs[day + 1] as number,
        slots: slots.ofDay(day),
        registers: registers.ofDay(day),
      });
      reach.raws[key] = raw;
    }
    return raw;
  }

  #emit(needs: DayNeeds, name: string, emission: Readonly<Record<string, unknown>>): void {
    const cursor = this.#cursor;
    if (!needs.emits.includes(name)) {
      throw cursor.nonsense('there is no emitting on a channel that needs.emits does not name');
    }
    const { startMs, lengthMs } = this.#emittedSpan(emission);
    const index = this.#readings + this.emittedAll;
    const span = this.#spans + this.emittedAll;
    if (index >= this.#capacity) {
      this.crowded = true;
      throw cursor.nonsense(`a day has at most ${this.#capacity} readings, those it emits among them`);
    }
    const key = `${name} ${startMs} ${lengthMs}`;
    if (this.#emitted.has(key)) {
      throw cursor.nonsense(`the reading at ${new Date(startMs).toISOString()} is emitted twice on ${name}`);
    }
    this.#fillEmitted(index, emission);
    cursor.startMs[span] = startMs;
    cursor.lengthMs[span] = lengthMs;
    cursor.series[span] = this.#facts.emits.indexOf(name);
    this.#emitted.add(key);
  }

  #emittedSpan(emission: Readonly<Record<string, unknown>>): { startMs: number; lengthMs: number } {
    const { intervalMs, startMs: starts } = this.#facts;
    const { day } = this.#told;
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
    const { value, quality = 'calculated', method = '', reason, unit = this.#facts.unit } = emission;
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
