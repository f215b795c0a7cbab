import type { BatchCursor } from './isolate-cursor.ts';
import type { Reading } from './isolate-reading.ts';
import type { RunFacts } from './isolate-run.ts';

// The class runs inside an isolate, as text: nothing in it may refer to anything outside but the types.

/** Readings that the days of a run make on other channels. In the columns they follow those of all days. */
export class Emissions {
  readonly #cursor: BatchCursor;
  readonly #reading: Reading;
  /** How many readings the columns hold. */
  readonly #capacity: number;
  #facts = {} as RunFacts;
  #readings = 0;
  #spans = 0;
  /** Of the days before. */
  #before = 0;
  /** Of this day, by channel, start and length. */
  readonly #made = new Set<string>();
  /** There is no room for what the days emit together. */
  crowded = false;

  constructor(cursor: BatchCursor, { reading, capacity }: { readonly reading: Reading; readonly capacity: number }) {
    this.#cursor = cursor;
    this.#reading = reading;
    this.#capacity = capacity;
  }

  /** Turns to another run, of so many readings in so many spans. */
  begin(facts: RunFacts, readings: number, spans: number): void {
    this.#facts = facts;
    this.#readings = readings;
    this.#spans = spans;
    this.#before = 0;
    this.#made.clear();
    this.crowded = false;
  }

  /** Goes to the next day. */
  pass(): void {
    if (this.#made.size > 0) {
      this.#before += this.#made.size;
      this.#made.clear();
    }
  }

  /** Of the day. */
  get count(): number {
    return this.#made.size;
  }

  /** Of all days so far. */
  get countAll(): number {
    return this.#before + this.#made.size;
  }

  /** Takes back what the day emitted after the first so many. */
  keep(count: number): void {
    if (this.#made.size > count) {
      [...this.#made].slice(count).forEach((key) => {
        this.#made.delete(key);
        // What lies behind the last reading says nothing.
        this.#cursor.changes[this.#readings + this.countAll] = 0;
      });
    }
  }

  make(channel: string, emission: Readonly<Record<string, unknown>>, day: number): void {
    const cursor = this.#cursor;
    const { startMs, lengthMs } = this.#spanOf(emission, day);
    const index = this.#readings + this.countAll;
    const span = this.#spans + this.countAll;
    if (index >= this.#capacity) {
      this.crowded = true;
      throw cursor.nonsense(`a day has at most ${this.#capacity} readings, those it emits among them`);
    }
    const key = `${channel} ${startMs} ${lengthMs}`;
    if (this.#made.has(key)) {
      throw cursor.nonsense(`the reading at ${new Date(startMs).toISOString()} is emitted twice on ${channel}`);
    }
    this.#fill(index, emission);
    cursor.startMs[span] = startMs;
    cursor.lengthMs[span] = lengthMs;
    cursor.series[span] = this.#facts.emits.indexOf(channel);
    this.#made.add(key);
  }

  #spanOf(emission: Readonly<Record<string, unknown>>, day: number): { startMs: number; lengthMs: number } {
    const { intervalMs, startMs: starts } = this.#facts;
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

  #fill(index: number, emission: Readonly<Record<string, unknown>>): void {
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
