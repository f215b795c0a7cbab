import type { DayPlaces } from './isolate-places.ts';
import type { RunFacts, WindowColumns } from './isolate-run.ts';
import type { columnFor, ShownValues } from './isolate-shown.ts';
import type { RawColumns } from './isolate-windows.ts';

// The class runs inside an isolate, as text: nothing in it may refer to anything outside but the types.

/** The places of a day so many days from the one that a run is at. */
interface PlacesAround {
  /** The day that stands there. */
  day: number;
  readonly slots: DayPlaces;
  readonly registers: DayPlaces;
}

/** The raw values of a day, as rules get them. */
interface ShownDay {
  /** When it was looked at last, counted in days of the run. */
  turn: number;
  readonly day: number;
  readonly slots: ShownValues;
  readonly registers: ShownValues;
}

/** What days around are shown with. */
export interface AroundParts {
  readonly makePlaces: () => DayPlaces;
  readonly ShownValues: typeof ShownValues;
  readonly columnFor: typeof columnFor;
  /** A run that looks at more than these leaves none of them to the next. */
  readonly placesKeptMax: number;
}

/**
 * The days that rules look at around their own, as they came. Places are made for each distance from that day, not for
 * each day: so few of them are the same for all days and runs.
 */
export class DaysAround {
  readonly #parts: AroundParts;
  /** By window, then by distance: 0, a day before, a day later, two before, … */
  #around: PlacesAround[][] = [];
  /** By window. */
  #shown: ShownDay[][] = [];
  #run: RunFacts | undefined;
  #windows: readonly WindowColumns[] = [];
  #turn = 0;

  constructor(parts: AroundParts) {
    this.#parts = parts;
  }

  /** Turns to another run. */
  begin(run: RunFacts, windows: readonly WindowColumns[]): void {
    this.#run = run;
    this.#windows = windows;
    this.#shown = windows.map(() => []);
    this.#turn = 0;
    let kept = 0;
    for (const places of this.#around.flat()) {
      places.day = -1;
      kept += places.slots.keptCount + places.registers.keptCount;
    }
    if (kept > this.#parts.placesKeptMax) {
      this.#around = [];
    }
  }

  /** Goes to the next day: what nobody looked at on the day before is let go. (What lives on costs more than what is made anew.) */
  pass(): void {
    this.#turn += 1;
    for (const shown of this.#shown) {
      let kept = 0;
      for (const day of shown) {
        if (day.turn >= this.#turn - 1) {
          shown[kept++] = day;
        }
      }
      shown.length = kept;
    }
  }

  /** A day of a window, so many days from `day`. */
  at(window: number, day: number, daysLater: number): PlacesAround {
    const list = (this.#around[window] ??= []);
    const distance = daysLater > 0 ? daysLater * 2 : daysLater * -2 + (daysLater < 0 ? -1 : 0);
    const places = (list[distance] ??= this.#makePlaces());
    if (places.day !== day + daysLater) {
      this.#enter(places, window, day + daysLater);
    }
    return places;
  }

  /** Values of a day's slots, NaN for a gap, in a column of the caller's own: the one that it got before, if it fits. */
  column(known: Float64Array | undefined, window: number, day: number): Float64Array {
    const { slots } = this.#show(window, day);
    const column = this.#parts.columnFor(known, slots.count);
    slots.copyTo(column);
    return column;
  }

  #makePlaces(): PlacesAround {
    const { makePlaces } = this.#parts;
    return { day: -1, slots: makePlaces(), registers: makePlaces() };
  }

  #enter(places: PlacesAround, window: number, day: number): void {
    const run = this.#run as RunFacts;
    const { slots, registers } = this.#windows[window] as WindowColumns;
    const shown = this.#show(window, day);
    const slotsFrom = slots.from[day] as number;
    const registersFrom = registers.from[day] as number;
    const { intervalMs } = slots;
    places.day = day;
    places.slots.enter(
      { run, day, intervalMs, startMs: undefined, startsFrom: 0, fillUnit: undefined },
      { columns: slots, base: slotsFrom, values: shown.slots },
    );
    places.registers.enter(
      { run, day, intervalMs: 0, startMs: registers.startMs, startsFrom: registersFrom, fillUnit: undefined },
      { columns: registers, base: registersFrom, values: shown.registers },
    );
  }

  #show(window: number, day: number): ShownDay {
    const known = this.#shown[window] as ShownDay[];
    for (const shown of known) {
      if (shown.day === day) {
        shown.turn = this.#turn;
        return shown;
      }
    }
    const { slots, registers } = this.#windows[window] as WindowColumns;
    const made = { day, turn: this.#turn, slots: this.#shownOf(slots, day), registers: this.#shownOf(registers, day) };
    known.push(made);
    return made;
  }

  #shownOf(columns: RawColumns, day: number): ShownValues {
    const { ShownValues: Values } = this.#parts;
    const from = columns.from[day] as number;
    return new Values(columns).enter(from, (columns.from[day + 1] as number) - from);
  }
}
