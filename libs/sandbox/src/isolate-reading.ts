// The class runs inside an isolate, as text: nothing in it may refer to anything outside but the types.

/** The batch as it lies in the isolate's shared memory, and where in it the walk is. */
export interface Cursor {
  index: number;
  span: number;
  /** Index of the span's first reading. */
  first: number;
  readonly values: Float64Array;
  readonly changes: Uint8Array;
  readonly quality: Uint8Array;
  readonly unit: Uint16Array;
  readonly code: Uint16Array;
  readonly method: Uint16Array;
  readonly reason: Uint16Array;
  readonly startMs: Float64Array;
  readonly stepMs: Uint32Array;
  readonly lengthMs: Uint32Array;
  readonly count: Uint32Array;
  readonly series: Uint32Array;
  readonly qualities: readonly string[];
  texts: string[];
  /**
   * The unit and the text that were set last, and their indexes: rules mostly set the same one again and again. Index 0:
   * none was set. (Always texts, since comparing with `undefined` in between costs ten times as much.)
   */
  lastUnit: string;
  lastUnitIndex: number;
  lastText: string;
  lastTextIndex: number;
  /** Index of a text, checked; new ones are added. */
  textIndex(text: unknown, what: string): number;
  unitIndex(unit: unknown): number;
  /** Meter and channel by turns; the first use in a flow's life asks the host for them. */
  names(): readonly string[];
  /** Sets a bit of `changes`. */
  mark(bit: number): void;
  nonsense(message: string): Error;
}

/** What a rule sees: one object for all readings, moved from one to the next. Setters check, so that blame has a line. */
export class Reading {
  readonly #cursor: Cursor;

  constructor(cursor: Cursor) {
    this.#cursor = cursor;
    Object.freeze(this);
  }

  get meter(): string {
    const cursor = this.#cursor;
    return cursor.names()[(cursor.series[cursor.span] as number) * 2] as string;
  }

  get channel(): string {
    const cursor = this.#cursor;
    return cursor.names()[(cursor.series[cursor.span] as number) * 2 + 1] as string;
  }

  get startMs(): number {
    const { startMs, stepMs, span, index, first } = this.#cursor;
    return (startMs[span] as number) + (index - first) * (stepMs[span] as number);
  }

  get endMs(): number {
    return this.startMs + (this.#cursor.lengthMs[this.#cursor.span] as number);
  }

  get value(): number {
    return this.#cursor.values[this.#cursor.index] as number;
  }

  set value(value: number) {
    const cursor = this.#cursor;
    const { index } = cursor;
    if (typeof value !== 'number' || !(value < 2 ** 53 && value > -(2 ** 53))) {
      throw cursor.nonsense(
        `value must be a number below 2^53, not ${typeof value === 'number' ? value : typeof value}`,
      );
    }
    if (value !== cursor.values[index]) {
      cursor.values[index] = value;
      cursor.mark(1);
    }
  }

  get quality(): string {
    return this.#cursor.qualities[this.#cursor.quality[this.#cursor.index] as number] as string;
  }

  set quality(quality: string) {
    const cursor = this.#cursor;
    const code = cursor.qualities.indexOf(quality);
    if (code < 0 || quality === 'missing') {
      throw cursor.nonsense(
        'quality must be measured, estimated, substituted or calculated; to refuse a value use reject(reason)',
      );
    }
    if (code !== cursor.quality[cursor.index]) {
      cursor.quality[cursor.index] = code;
      cursor.mark(2);
    }
  }

  get unit(): string {
    return this.#cursor.texts[this.#cursor.unit[this.#cursor.index] as number] as string;
  }

  set unit(unit: string) {
    const cursor = this.#cursor;
    const index = unit === cursor.lastUnit && cursor.lastUnitIndex > 0 ? cursor.lastUnitIndex : cursor.unitIndex(unit);
    if (index !== cursor.unit[cursor.index]) {
      cursor.unit[cursor.index] = index;
      cursor.mark(4);
    }
  }

  /** The source's own quality code. */
  get code(): string {
    return this.#cursor.texts[this.#cursor.code[this.#cursor.index] as number] as string;
  }

  get method(): string {
    return this.#cursor.texts[this.#cursor.method[this.#cursor.index] as number] as string;
  }

  set method(method: string) {
    const cursor = this.#cursor;
    const index =
      method === cursor.lastText && cursor.lastTextIndex > 0
        ? cursor.lastTextIndex
        : cursor.textIndex(method, 'method');
    if (index !== cursor.method[cursor.index]) {
      cursor.method[cursor.index] = index;
      cursor.mark(8);
    }
  }

  /** Notes a reason beside the value. The last one counts. */
  annotate(reason: string): void {
    const cursor = this.#cursor;
    const index =
      reason === cursor.lastText && cursor.lastTextIndex > 0
        ? cursor.lastTextIndex
        : cursor.textIndex(reason, 'reason');
    cursor.reason[cursor.index] = index;
    cursor.mark(16);
  }

  /** Refuses the reading: it becomes an absence with this reason, and no later rule sees it. */
  reject(reason: string): void {
    const cursor = this.#cursor;
    const index =
      reason === cursor.lastText && cursor.lastTextIndex > 0
        ? cursor.lastTextIndex
        : cursor.textIndex(reason, 'reason');
    cursor.reason[cursor.index] = index;
    cursor.mark(32);
  }
}
