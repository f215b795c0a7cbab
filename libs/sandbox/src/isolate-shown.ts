// The class and the function run inside an isolate, as text: nothing in them may refer to anything outside but the types.

/** Columns that values lie in. A gap of raw ones is NaN; of those that rules change, quality and changes tell. */
export interface ValueColumns {
  readonly values: Float64Array;
  readonly quality: Uint8Array;
  readonly changes?: Uint8Array | undefined;
}

/**
 * Values of readings that follow each other in columns, as rules get them. Slots show what stands in a list, which is made
 * when they are asked for first: made of a column for each look, a number that may be missing would be a new object each time.
 */
export class ShownValues {
  readonly #columns: ValueColumns;
  #base = 0;
  count = 0;
  #list: (number | undefined)[] | undefined;
  /** Where they lie. */
  #part: Float64Array | undefined;

  constructor(columns: ValueColumns) {
    this.#columns = columns;
  }

  /** Turns to other readings. */
  enter(base: number, count: number): this {
    this.#base = base;
    this.count = count;
    this.#list = undefined;
    this.#part = undefined;
    return this;
  }

  /** What stands in the columns has changed. */
  forget(): void {
    this.#list = undefined;
  }

  /** With undefined for a gap, the same list for all who look. */
  list(): (number | undefined)[] {
    this.#list ??= this.#made();
    return this.#list;
  }

  isGap(place: number): boolean {
    const { values, quality, changes } = this.#columns;
    const index = this.#base + place;
    return changes === undefined
      ? Number.isNaN(values[index])
      : quality[index] === 4 || (changes[index] as number) >= 32;
  }

  /** Puts them into a column of a rule's own, NaN for a gap. */
  copyTo(column: Float64Array): void {
    const { values, quality, changes } = this.#columns;
    const [base, count] = [this.#base, this.count];
    this.#part ??= values.subarray(base, base + count);
    column.set(this.#part);
    for (let place = 0; changes !== undefined && place < count; place++) {
      if (quality[base + place] === 4 || (changes[base + place] as number) >= 32) {
        column[place] = NaN;
      }
    }
  }

  #made(): (number | undefined)[] {
    const { values } = this.#columns;
    const end = this.#base + this.count;
    // Never a list of numbers alone: of these the engine makes another kind, of which each look makes a number anew. And
    // pushed, not set: prototypes are frozen, and with these setting a place of a list takes the engine ten times as long.
    const list: (number | undefined)[] = [undefined];
    list.pop();
    for (let index = this.#base; index < end; index++) {
      list.push(this.isGap(index - this.#base) ? undefined : values[index]);
    }
    return list;
  }
}

/**
 * A column that a step gets the values of a day in: one for all days, filled anew each time that it is asked for, so that
 * nothing of a day is left in it, and nothing beside. One that the rule has given away (`buffer.transfer()`) is made again.
 */
export function columnFor(known: Float64Array | undefined, count: number): Float64Array {
  // An empty one that was given away looks like one that was not.
  if (count > 0 && known?.length === count) {
    return known;
  }
  const column = new Float64Array(count);
  Object.preventExtensions(column.buffer);
  return Object.preventExtensions(column);
}
