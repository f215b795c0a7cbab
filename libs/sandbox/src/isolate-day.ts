import type { DaysAround } from './isolate-around.ts';
import type { BatchCursor } from './isolate-cursor.ts';
import type { RuleContext } from './isolate-flow.ts';
import type { DayPlaces } from './isolate-places.ts';
import type { Reading } from './isolate-reading.ts';
import type { AroundDay, OwnDay } from './isolate-views.ts';
import type { RawColumns } from './isolate-windows.ts';

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

/** What days are shown with. */
export interface DayParts {
  readonly reading: Reading;
  readonly around: DaysAround;
  /** Makes places of the day that is run. */
  readonly makePlaces: () => DayPlaces;
  readonly OwnDay: typeof OwnDay;
  readonly AroundDay: typeof AroundDay;
  /** A list of so many values that are not there. */
  readonly blankOf: (count: number) => undefined[];
  /** How many readings the columns hold. */
  readonly capacity: number;
}

/** How a step reaches what it needs: the same for all days, always of the one that the run is at. */
export interface Reach {
  readonly earlier: (days: number) => object;
  readonly later: (days: number) => object;
  readonly other: (name: string, daysLater?: number) => object;
  readonly emit: (name: string, emission: Readonly<Record<string, unknown>>) => void;
  /** What the step sees of the day; made when it is seen first. */
  view: OwnDay | undefined;
  /** And of days around, by window and distance. */
  readonly around: (AroundDay | undefined)[][];
  /** What it got beside the day last, and of which tags that is made. */
  context: (RuleContext & { readonly tags: object }) | undefined;
  tags: Readonly<Record<string, unknown>> | undefined;
}

/** The days of a run, one after the other, with all around them. A step gets a view of a day that shows what it needs. */
export class Days {
  readonly #cursor: BatchCursor;
  readonly #parts: DayParts;
  readonly slots: DayPlaces;
  readonly registers: DayPlaces;
  facts = {} as RunFacts;
  /** Counts days, of all runs: who keeps anything for a day sees by it that it is over. */
  turn = 0;
  readonly #reaches = new Map<DayNeeds, Reach>();
  readonly #dateOf = new Map<number, string>();
  /** Of the run's days. */
  #dates: string[] = [];
  #windows: readonly WindowColumns[] = [];
  #readings = 0;
  #spans = 0;
  /** Which day the run is at, and where it lies. */
  #place = -1;
  #told: ToldDay | undefined;
  #base = 0;
  #span = 0;
  /** Emitted on the days before, and on this one. */
  #emittedBefore = 0;
  readonly #emitted = new Set<string>();
  readonly #failed = new Map<number, { readonly step: number; readonly code: string; readonly message: string }>();
  /** There is no room for what the days emit together. */
  crowded = false;

  constructor(cursor: BatchCursor, parts: DayParts) {
    this.#cursor = cursor;
    this.#parts = parts;
    this.slots = parts.makePlaces();
    this.registers = parts.makePlaces();
  }

  /** Turns to another run. */
  begin(
    facts: RunFacts,
    { windows, readings, spans }: { windows: readonly WindowColumns[]; readings: number; spans: number },
  ): void {
    this.facts = facts;
    this.#windows = windows;
    this.#readings = readings;
    this.#spans = spans;
    this.#emittedBefore = 0;
    this.#emitted.clear();
    this.#failed.clear();
    this.crowded = false;
    this.rewind();
    this.#dates = [];
    this.#parts.around.begin(facts, windows);
  }

  /** Before the first day. */
  rewind(): void {
    this.#place = -1;
    this.#told = undefined;
    this.#base = 0;
    this.#span = 0;
  }

  /** Goes to the next day; false after the last. */
  next(): boolean {
    const before = this.#told;
    if (before !== undefined) {
      this.#base += before.slots + before.registers;
      this.#span += before.spans;
    }
    this.#emittedBefore += this.#emitted.size;
    if (this.#emitted.size > 0) {
      this.#emitted.clear();
    }
    this.#place += 1;
    const told = this.facts.days[this.#place];
    this.#told = told;
    if (told === undefined) {
      return false;
    }
    this.#enter(told);
    this.#cursor.failuresBefore = this.#cursor.failures.length;
    return true;
  }

  /** Shows what stands in the columns now: rules with `onReading` write there, and what a step did may be undone. */
  refresh(): void {
    this.#show(this.slots.shown, this.#base);
    this.#show(this.registers.shown, this.#base + this.slots.shown.length);
  }

  /** Nothing that a rule left behind reaches a day any more. */
  leave(): void {
    this.#place = -1;
    this.#told = undefined;
    this.#cursor.index = -1;
    this.slots.leave();
    this.registers.leave();
  }

  /** The day's readings [from, to) in the columns, and the first of its spans. */
  get range(): { readonly from: number; readonly to: number; readonly fromSpan: number; readonly toSpan: number } {
    const { slots, registers, spans } = this.#day();
    const to = this.#base + slots + registers;
    return { from: this.#base, to, fromSpan: this.#span, toSpan: this.#span + spans };
  }

  get count(): number {
    return this.facts.days.length;
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
    return this.facts;
  }

  /** What a step gets beside the day: its parameters, and those of the day's tags that it needs. */
  context(needs: DayNeeds, { parameters }: RuleContext): RuleContext & { readonly tags: object } {
    const given = this.facts.tags[this.#day().tags] as Readonly<Record<string, unknown>>;
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
  view(needs: DayNeeds): OwnDay {
    const reach = this.#reach(needs);
    reach.view ??= new this.#parts.OwnDay(this, reach);
    return reach.view;
  }

  /** Makes what a prototype has to be read an object's own, and the object as it stays: what is spread or listed is all there. */
  showOwn(view: object, prototype: object): void {
    for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
      if ('get' in descriptor) {
        Object.defineProperty(view, name, { ...descriptor, enumerable: true });
      }
    }
    Object.freeze(view);
  }

  date(daysLater: number): string {
    const day = this.#day().day + daysLater;
    return (this.#dates[day] ??= this.#dateOfNumber(this.facts.firstDay + day));
  }

  weekday(daysLater: number): number {
    const number = this.facts.firstDay + this.#day().day + daysLater;
    return ((((number + 3) % 7) + 7) % 7) + 1;
  }

  startMs(daysLater: number): number {
    return this.facts.startMs[this.#day().day + daysLater] as number;
  }

  /** The places of a day as it came. */
  around(window: number, daysLater: number): { readonly slots: DayPlaces; readonly registers: DayPlaces } {
    return this.#parts.around.at(window, this.#day().day, daysLater);
  }

  #day(): ToldDay {
    if (this.#told === undefined) {
      throw this.#cursor.nonsense('the day is over: what a rule leaves for later comes too late');
    }
    return this.#told;
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
        view: undefined,
        around: [],
        context: undefined,
        tags: undefined,
        earlier: (days) => this.#around(made, 0, -within(days, needs.lookBackDays, 'earlier')),
        later: (days) => this.#around(made, 0, within(days, needs.lookAheadDays, 'later')),
        other: (name, daysLater = 0) => {
          const window = this.facts.windows.findIndex((each, index) => index > 0 && each.channel === name);
          if (window < 0 || !needs.reads.includes(name)) {
            throw this.#cursor.nonsense(`the channel ${name} is not to be had: name it in needs.reads`);
          }
          const days =
            daysLater < 0
              ? -within(-daysLater, needs.lookBackDays, 'other')
              : within(daysLater, needs.lookAheadDays, 'other');
          return this.#around(made, window, days);
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

  #enter({ day, slots, registers }: ToldDay): void {
    const run = this.facts;
    this.turn += 1;
    const { startMs, closedThroughMs, unit, intervalMs } = run;
    const own = (this.#windows[0] as WindowColumns).registers;
    const columns = this.#cursor;
    const base = this.#base;
    const fillUnit = (startMs[day + 1] as number) <= closedThroughMs ? unit : undefined;
    this.slots.enter(
      { run, day, intervalMs, startMs: undefined, startsFrom: 0, fillUnit },
      { columns, base, shown: this.#show(this.#parts.blankOf(slots), base) },
    );
    this.registers.enter(
      { run, day, intervalMs: 0, startMs: own.startMs, startsFrom: own.from[day] as number, fillUnit: undefined },
      { columns, base: base + slots, shown: this.#show(this.#parts.blankOf(registers), base + slots) },
    );
    this.#parts.around.pass();
  }

  /** The values that stand at `base` and behind it in the columns. */
  #show(shown: (number | undefined)[], base: number): (number | undefined)[] {
    const { values, quality, changes } = this.#cursor;
    for (let place = 0; place < shown.length; place++) {
      const index = base + place;
      const isGap = quality[index] === 4 || (changes[index] as number) >= 32;
      shown[place] = isGap ? undefined : values[index];
    }
    return shown;
  }

  #dateOfNumber(number: number): string {
    let date = this.#dateOf.get(number);
    if (date === undefined) {
      if (this.#dateOf.size >= 1_000) {
        this.#dateOf.clear();
      }
      date = new Date(number * 86_400_000).toISOString().slice(0, 10);
      this.#dateOf.set(number, date);
    }
    return date;
  }

  #around(reach: Reach, window: number, daysLater: number): AroundDay {
    const distance = daysLater > 0 ? daysLater * 2 : daysLater < 0 ? daysLater * -2 - 1 : 0;
    const days = (reach.around[window] ??= []);
    return (days[distance] ??= new this.#parts.AroundDay(this, window, daysLater));
  }

  #emit(needs: DayNeeds, name: string, emission: Readonly<Record<string, unknown>>): void {
    const cursor = this.#cursor;
    if (!needs.emits.includes(name)) {
      throw cursor.nonsense('there is no emitting on a channel that needs.emits does not name');
    }
    const { startMs, lengthMs } = this.#emittedSpan(emission);
    const index = this.#readings + this.emittedAll;
    const span = this.#spans + this.emittedAll;
    if (index >= this.#parts.capacity) {
      this.crowded = true;
      throw cursor.nonsense(`a day has at most ${this.#parts.capacity} readings, those it emits among them`);
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
    const { intervalMs, startMs: starts } = this.facts;
    const { day } = this.#day();
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
    const { reading } = this.#parts;
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
