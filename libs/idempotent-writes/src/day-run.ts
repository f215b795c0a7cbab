import { UniformSteps, type IncomingColumns } from './incoming-columns.ts';
import type { SeriesDayPieces } from './day-pieces.ts';
import { duplicateIndex, insertedIndex, type OutcomeTally } from './outcome-tally.ts';
import type { SegmentDraft } from './segment-draft.ts';
import { slotMsMin } from './segment-format.ts';

/**
 * A day of readings that follow each other, of one label and version, of which some may come again unchanged: what
 * nearly every day of a file is. Its values are copied as they are, without a place for each to meet another.
 */
export class DayRun {
  readonly #steps = new UniformSteps();
  #startMs = 0;
  #lengthMs = 0;
  #decimals = 0;
  #label = 0;
  #version = 0;

  /** Fills the draft and returns true; false where the pieces are no such run: the draft is then void. */
  fill(draft: SegmentDraft, day: SeriesDayPieces): boolean {
    if (!this.#begin(day)) {
      return false;
    }
    draft.reset();
    draft.decimals = this.#decimals;
    for (let place = day.from; place < day.to; place++) {
      if (!this.#append(draft, day, day.pieces.order[place] as number)) {
        return false;
      }
    }
    draft.openSpan(this.#startMs, this.#lengthMs, this.#lengthMs);
    draft.spanReadings[0] = draft.count;
    draft.labels.extend(this.#label, draft.count);
    draft.versions.extend(this.#version, draft.count);
    return true;
  }

  /** Counts the readings of the run that was filled last. */
  count({ pieces, from, to }: SeriesDayPieces, tally: OutcomeTally): void {
    let nextMs = this.#startMs;
    for (let place = from; place < to; place++) {
      const piece = pieces.order[place] as number;
      const count = pieces.count[piece] as number;
      const follows = pieces.startMs[piece] === nextMs;
      tally.add(pieces.batch[piece] as number, follows ? insertedIndex : duplicateIndex, count);
      nextMs += follows ? count * this.#lengthMs : 0;
    }
  }

  #begin({ pieces, from, columns }: SeriesDayPieces): boolean {
    const piece = pieces.order[from] as number;
    const incoming = columns[pieces.batch[piece] as number] as IncomingColumns;
    const first = pieces.first[piece] as number;
    this.#startMs = pieces.startMs[piece] as number;
    this.#lengthMs = pieces.lengthMs[piece] as number;
    this.#decimals = incoming.decimals;
    this.#steps.seek(incoming, first, first + 1);
    this.#steps.next();
    this.#label = this.#steps.label;
    this.#version = this.#steps.version;
    return this.#lengthMs >= slotMsMin;
  }

  #append(draft: SegmentDraft, { pieces, columns }: SeriesDayPieces, piece: number): boolean {
    const incoming = columns[pieces.batch[piece] as number] as IncomingColumns;
    const first = pieces.first[piece] as number;
    const count = pieces.count[piece] as number;
    const isRegular = pieces.stepMs[piece] === this.#lengthMs || count === 1;
    if (!isRegular || pieces.lengthMs[piece] !== this.#lengthMs || !this.#says(incoming, first, first + count)) {
      return false;
    }
    const at = ((pieces.startMs[piece] as number) - this.#startMs) / this.#lengthMs;
    if (at === draft.count) {
      draft.reserve(at + count);
      copy(incoming.values, { first, count, at }, draft.values);
      draft.count = at + count;
      return true;
    }
    return isPlace(at, draft.count - count) && areEqual(incoming.values, { first, count, at }, draft.values);
  }

  /** True where the readings [from, end) have the run's label, version and decimals. */
  #says(incoming: IncomingColumns, from: number, end: number): boolean {
    const steps = this.#steps;
    steps.seek(incoming, from, end);
    steps.next();
    const isOne = steps.to === end && steps.label === this.#label && steps.version === this.#version;
    return isOne && incoming.decimals === this.#decimals;
  }
}

/** `count` values of a batch from `first` on, and those of the day from `at` on. */
interface Part {
  readonly first: number;
  readonly count: number;
  readonly at: number;
}

function isPlace(at: number, max: number): boolean {
  return at >= 0 && at <= max && Number.isInteger(at);
}

function copy(values: Float64Array, { first, count, at }: Part, target: Float64Array): void {
  for (let index = 0; index < count; index++) {
    target[at + index] = values[first + index] as number;
  }
}

function areEqual(values: Float64Array, { first, count, at }: Part, target: Float64Array): boolean {
  for (let index = 0; index < count; index++) {
    if (target[at + index] !== values[first + index]) {
      return false;
    }
  }
  return true;
}
