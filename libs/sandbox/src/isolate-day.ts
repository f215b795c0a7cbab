import type { DaysAround } from './isolate-around.ts';
import type { BatchCursor } from './isolate-cursor.ts';
import type { Emissions } from './isolate-emissions.ts';
import type { RuleContext } from './isolate-flow.ts';
import type { DayPlaces } from './isolate-places.ts';
import type { Reach, reachOf } from './isolate-reach.ts';
import type { DayNeeds, RunFacts, ToldDay, WindowColumns } from './isolate-run.ts';
import type { ShownValues } from './isolate-shown.ts';
import type { AroundDay, OwnDay } from './isolate-views.ts';

// The class runs inside an isolate, as text: nothing in it may refer to anything outside but the types.

/** What days are shown with. */
export interface DayParts {
  readonly around: DaysAround;
  readonly emissions: Emissions;
  /** Makes places of the day that is run. */
  readonly makePlaces: () => DayPlaces;
  readonly ShownValues: typeof ShownValues;
  readonly reachOf: typeof reachOf;
  readonly OwnDay: typeof OwnDay;
  readonly AroundDay: typeof AroundDay;
}

/** The days of a run, one after the other, with all around them. A step gets a view of a day that shows what it needs. */
export class Days {
  readonly #cursor: BatchCursor;
  readonly #parts: DayParts;
  readonly slots: DayPlaces;
  readonly registers: DayPlaces;
  readonly #slotValues: ShownValues;
  readonly #registerValues: ShownValues;
  readonly emissions: Emissions;
  facts = {} as RunFacts;
  /** Counts days, of all runs: who keeps anything for a day sees by it that it is over. */
  turn = 0;
  readonly #reaches = new Map<DayNeeds, Reach>();
  readonly #dateOf = new Map<number, string>();
  /** Of the run's days. */
  #dates: string[] = [];
  #windows: readonly WindowColumns[] = [];
  /** Which day the run is at, and where it lies. */
  #place = -1;
  #told: ToldDay | undefined;
  #base = 0;
  #span = 0;
  readonly #failed = new Map<number, { readonly step: number; readonly code: string; readonly message: string }>();

  constructor(cursor: BatchCursor, parts: DayParts) {
    this.#cursor = cursor;
    this.#parts = parts;
    this.emissions = parts.emissions;
    this.slots = parts.makePlaces();
    this.registers = parts.makePlaces();
    this.#slotValues = new parts.ShownValues(cursor);
    this.#registerValues = new parts.ShownValues(cursor);
  }

  /** Turns to another run. */
  begin(
    facts: RunFacts,
    { windows, readings, spans }: { windows: readonly WindowColumns[]; readings: number; spans: number },
  ): void {
    this.facts = facts;
    this.#windows = windows;
    this.#failed.clear();
    this.rewind();
    this.#dates = [];
    this.emissions.begin(facts, readings, spans);
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
    this.emissions.pass();
    this.#place += 1;
    if (this.#place >= this.facts.runDays) {
      this.#told = undefined;
      return false;
    }
    this.#told = this.#toldAt(this.#place * 5);
    this.#enter(this.#told);
    this.#cursor.failuresBefore = this.#cursor.failures.length;
    return true;
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
    return this.facts.runDays;
  }

  get hasFailed(): boolean {
    return this.#failed.size > 0 && this.#failed.has(this.#place);
  }

  /** The day as a whole fails: nothing that its rules did counts. */
  fail(failure: { readonly step: number; readonly code: string; readonly message: string }): void {
    const { from, to } = this.range;
    this.#cursor.changes.fill(0, from, to);
    this.#cursor.failures.length = this.#cursor.failuresBefore;
    this.emissions.keep(0);
    this.#failed.set(this.#place, failure);
  }

  get failedCount(): number {
    return this.#failed.size;
  }

  /** Which days failed, as JSON. */
  get failures(): string {
    return JSON.stringify([...this.#failed].map(([place, failure]) => ({ place, ...failure })));
  }

  get series(): { readonly meter: string; readonly channel: string } {
    return this.facts;
  }

  /** How a step reaches what it needs. */
  reach(needs: DayNeeds): Reach {
    let reach = this.#reaches.get(needs);
    if (reach === undefined) {
      reach = this.#parts.reachOf(this, needs);
      this.#reaches.set(needs, reach);
    }
    return reach;
  }

  /** What a step gets beside the day: its parameters, and those of the day's tags that it needs. */
  context(reach: Reach, needs: DayNeeds, { parameters }: RuleContext): RuleContext & { readonly tags: object } {
    const given = this.facts.tags[this.#day().tags] as Readonly<Record<string, unknown>>;
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

  /** What a step sees of the day. */
  view(reach: Reach): OwnDay {
    reach.view ??= new this.#parts.OwnDay(this, reach);
    return reach.view;
  }

  /** What it sees of a day around it. */
  viewAround(reach: Reach, window: number, daysLater: number): AroundDay {
    const distance = daysLater > 0 ? daysLater * 2 : daysLater < 0 ? daysLater * -2 - 1 : 0;
    const days = (reach.around[window] ??= []);
    return (days[distance] ??= new this.#parts.AroundDay(this, window, daysLater));
  }

  /** Makes what a prototype has to be read an object's own, and the object as it stays: what is spread or listed is all there. */
  showOwn(view: object, prototype: object): void {
    for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
      if (descriptor.get !== undefined) {
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

  /** The values of its slots, in a column of the caller's own. */
  columnAround(known: Float64Array | undefined, window: number, daysLater: number): Float64Array {
    return this.#parts.around.column(known, window, this.#day().day + daysLater);
  }

  emit(channel: string, emission: Readonly<Record<string, unknown>>): void {
    this.emissions.make(channel, emission, this.#day().day);
  }

  nonsense(message: string): Error {
    return this.#cursor.nonsense(message);
  }

  #day(): ToldDay {
    if (this.#told === undefined) {
      throw this.#cursor.nonsense('the day is over: what a rule leaves for later comes too late');
    }
    return this.#told;
  }

  #toldAt(word: number): ToldDay {
    const { days } = this.facts;
    return {
      day: days[word] as number,
      slots: days[word + 1] as number,
      registers: days[word + 2] as number,
      spans: days[word + 3] as number,
      tags: days[word + 4] as number,
    };
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
      { columns, base, values: this.#slotValues.enter(base, slots) },
    );
    this.registers.enter(
      { run, day, intervalMs: 0, startMs: own.startMs, startsFrom: own.from[day] as number, fillUnit: undefined },
      { columns, base: base + slots, values: this.#registerValues.enter(base + slots, registers) },
    );
    this.#parts.around.pass();
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
}
