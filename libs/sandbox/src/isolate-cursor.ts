import type { Cursor } from './isolate-reading.ts';
import type { SharedColumns } from './shared-layout.ts';

/** What the host tells an isolate once. */
export interface IsolateSettings {
  readonly capacity: number;
  readonly qualities: readonly string[];
  readonly units: readonly string[];
  readonly textCharsMax: number;
  readonly textsMax: number;
  readonly outputBytesMax: number;
  readonly failuresShownMax: number;
}

/** A failure of one reading: where, in which step, and what it said. */
export interface IsolateFailure {
  readonly index: number;
  readonly step: number;
  readonly code: string;
  readonly message: string;
}

/**
 * Holds the batch as it lies in the isolate's shared memory, where in it the walk is, and what the rules said. Runs
 * inside the isolate, as text: nothing in it may refer to anything outside but the types.
 */
export class BatchCursor implements Cursor {
  index = -1;
  /** How often anything was set: who shows what stands in the columns sees by it that they changed. */
  marks = 0;
  span = 0;
  first = 0;
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
  texts: string[] = [''];
  lastUnit = '';
  lastUnitIndex = 0;
  lastText = '';
  lastTextIndex = 0;
  /** True once a rule asked for names that the batch came without. */
  namesWanted = false;
  /** True once rules brought in more texts than a batch may have. What they set from then on is void: the run fails. */
  overflowing = false;
  failures: IsolateFailure[] = [];
  /** Failures that were told before the day that a run is at. */
  failuresBefore = 0;
  readonly #settings: IsolateSettings;
  readonly #units: ReadonlyMap<string, string>;
  #indexes = new Map<string, number>();
  #joinedNames: string | undefined;
  #names: string[] | undefined;
  #nonsense: Error | undefined;
  #outputBytes = 0;

  constructor(columns: SharedColumns, settings: IsolateSettings) {
    this.values = columns.values;
    this.changes = columns.changes;
    this.quality = columns.quality;
    this.unit = columns.unit;
    this.code = columns.code;
    this.method = columns.method;
    this.reason = columns.reason;
    this.startMs = columns.startMs;
    this.stepMs = columns.stepMs;
    this.lengthMs = columns.lengthMs;
    this.count = columns.count;
    this.series = columns.series;
    this.qualities = settings.qualities;
    this.#settings = settings;
    this.#units = new Map(settings.units.map((unit) => [unit, unit]));
  }

  begin(texts: string[], names: string | undefined): void {
    // Units are texts that the engine has once: rules compare them with their own, reading by reading.
    this.texts = texts.map((text) => this.#units.get(text) ?? text);
    this.lastUnitIndex = 0;
    this.lastTextIndex = 0;
    this.namesWanted = false;
    this.overflowing = false;
    this.#outputBytes = 0;
    this.failures = [];
    this.failuresBefore = 0;
    this.#indexes = new Map(texts.map((text, index) => [text, index]));
    this.#joinedNames = names;
    this.#names = undefined;
    this.#nonsense = undefined;
  }

  mark(bit: number): void {
    this.marks += 1;
    this.changes[this.index] = (this.changes[this.index] as number) | bit;
  }

  nonsense(message: string): Error {
    this.#nonsense = new TypeError(message);
    return this.#nonsense;
  }

  textIndex(text: unknown, what: string): number {
    const { textCharsMax } = this.#settings;
    if (typeof text !== 'string' || text.length > textCharsMax || /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u.test(text)) {
      throw this.nonsense(`${what} must be a text of at most ${textCharsMax} printable characters`);
    }
    let index = this.#indexes.get(text);
    if (index === undefined) {
      this.#outputBytes += text.length * 2;
      if (this.texts.length >= this.#settings.textsMax || this.#outputBytes > this.#settings.outputBytesMax) {
        this.overflowing = true;
        return 0;
      }
      index = this.texts.push(text) - 1;
      this.#indexes.set(text, index);
    }
    this.lastText = text;
    this.lastTextIndex = index;
    return index;
  }

  unitIndex(unit: unknown): number {
    const { units } = this.#settings;
    if (!units.includes(unit as string)) {
      throw this.nonsense(`unit must be one of ${units.join(', ')}`);
    }
    this.lastUnit = unit as string;
    this.lastUnitIndex = this.textIndex(unit, 'unit');
    return this.lastUnitIndex;
  }

  names(): readonly string[] {
    if (this.#names === undefined) {
      if (this.#joinedNames === undefined) {
        this.namesWanted = true;
        throw new Error('names are on their way');
      }
      this.#names = this.#joinedNames.split('\n');
    }
    return this.#names;
  }

  /** A failure on the reading at `index`: it is failed, or notes the failure, or neither, as the severity says. */
  fail(step: number, error: unknown, severity: 'info' | 'issue' | 'terminate'): void {
    const code = this.codeOf(error);
    const { index, failures } = this;
    if (severity !== 'info') {
      this.reason[index] = this.textIndex(`rule-failed:${code}`, 'reason');
      this.mark(severity === 'issue' ? 16 : 64);
    }
    if (failures.length - this.failuresBefore < this.#settings.failuresShownMax) {
      failures.push({ index, step, code, message: this.explain(error) });
    }
  }

  /** A failure on the day of readings [from, to) that leaves a step out: told once, noted on each where the severity says so. */
  failDay(
    failure: Omit<IsolateFailure, 'index'>,
    {
      severity,
      from,
      to,
    }: { readonly severity: 'info' | 'issue' | 'terminate'; readonly from: number; readonly to: number },
  ): void {
    this.failures.push({ index: from, ...failure });
    for (let index = from; severity === 'issue' && index < to; index++) {
      if (this.quality[index] !== 4 && (this.changes[index] as number) < 32) {
        this.index = index;
        this.reason[index] = this.textIndex(`rule-failed:${failure.code}`, 'reason');
        this.mark(16);
      }
    }
  }

  codeOf(error: unknown): string {
    return error === this.#nonsense ? 'rule-returned-nonsense' : 'rule-threw';
  }

  /** Text of anything that was thrown, whatever it does when it is looked at. */
  explain(error: unknown): string {
    try {
      const { message, stack } = Object(error) as { message: unknown; stack: unknown };
      const line = /<rule>:(\d+):(\d+)/.exec(String(stack));
      const text = typeof message === 'string' ? message : `it threw ${String(error)}`;
      const place = line === null ? '' : ` (line ${Number(line[1]) - 3})`;
      return text.slice(0, 300).replace(/\p{Cc}/gu, ' ') + place;
    } catch {
      return "it threw something that can't be shown";
    }
  }
}
