import {
  compareDecimals,
  formatDecimal,
  missingCode,
  qualities,
  ReadingCursor,
  utcText,
  type Quality,
  type ReadingColumns,
  type SeriesName,
} from '@meterflow/readings';

/** What a reading says, as it is shown. */
export interface ShownReading {
  /** Null where it is absent. */
  readonly value: string | null;
  readonly unit: string;
  readonly quality: Quality;
  readonly reason: string;
}

/** One reading that is otherwise after the change; null where there is none. */
export interface ChangedReading extends SeriesName {
  readonly start: string;
  readonly before: ShownReading | null;
  readonly after: ShownReading | null;
}

const changedShownMax = 20;

/** Counts what is otherwise between two states of the same series. */
export class Comparison {
  /** Readings on either side. */
  readings = 0;
  /** Those that are otherwise in anything; the counts below may hold one of them several times. */
  changed = 0;
  valueChanged = 0;
  qualityChanged = 0;
  /** A value before, an absence after; and the other way round. */
  rejected = 0;
  restored = 0;
  /** A value where there was no reading; and the other way round. */
  filled = 0;
  withdrawn = 0;
  /** Another reason or method. */
  annotated = 0;
  readonly qualityCounts = {
    before: qualities.map(() => 0),
    after: qualities.map(() => 0),
  };
  readonly shown: ChangedReading[] = [];

  /** Both sides ascending by start, then length, as stores and flows give them. Returns how many are otherwise. */
  add(series: SeriesName, before: readonly ReadingColumns[], after: readonly ReadingColumns[]): number {
    const [left, right] = [new Walk(before), new Walk(after)];
    const changedBefore = this.changed;
    left.next();
    right.next();
    while (left.at !== undefined || right.at !== undefined) {
      const order = compareIdentity(left.at, right.at);
      this.#one(series, order <= 0 ? left.at : undefined, order >= 0 ? right.at : undefined);
      if (order <= 0) {
        left.next();
      }
      if (order >= 0) {
        right.next();
      }
    }
    return this.changed - changedBefore;
  }

  #one(series: SeriesName, before: ReadingCursor | undefined, after: ReadingCursor | undefined): void {
    this.readings += 1;
    countQuality(this.qualityCounts.before, before);
    countQuality(this.qualityCounts.after, after);
    if (!this.#differ(before, after)) {
      return;
    }
    this.changed += 1;
    if (this.shown.length < changedShownMax) {
      const { startMs } = (before ?? after) as ReadingCursor;
      this.shown.push({ ...series, start: utcText(startMs), before: shownReading(before), after: shownReading(after) });
    }
  }

  /** Counts in what; true where it is anything. */
  #differ(before: ReadingCursor | undefined, after: ReadingCursor | undefined): boolean {
    if (hasValue(before) && hasValue(after)) {
      return this.#differInside(before, after);
    }
    const [lost, gained] = [hasValue(before), hasValue(after)];
    this.rejected += Number(lost && after !== undefined);
    this.withdrawn += Number(lost && after === undefined);
    this.restored += Number(gained && before !== undefined);
    this.filled += Number(gained && before === undefined);
    return lost || gained || reasonOf(before) !== reasonOf(after);
  }

  /** Both have a value. */
  #differInside(before: ReadingCursor, after: ReadingCursor): boolean {
    const value = !sameValue(before, after);
    const quality = before.qualityCode !== after.qualityCode;
    const annotated = before.reason !== after.reason || before.method !== after.method;
    this.valueChanged += Number(value);
    this.qualityChanged += Number(quality);
    this.annotated += Number(annotated);
    return value || quality || annotated;
  }
}

/** Goes through columns one after the other. */
class Walk {
  readonly #columns: readonly ReadingColumns[];
  #index = 0;
  /** Where it is; undefined before the first and after the last. */
  at: ReadingCursor | undefined;

  constructor(columns: readonly ReadingColumns[]) {
    this.#columns = columns;
  }

  next(): void {
    while (this.at?.next() !== true) {
      const columns = this.#columns[this.#index++];
      this.at = columns === undefined ? undefined : new ReadingCursor(columns);
      if (columns === undefined) {
        return;
      }
    }
  }
}

function compareIdentity(a: ReadingCursor | undefined, b: ReadingCursor | undefined): number {
  if (a === undefined || b === undefined) {
    return a === undefined ? 1 : -1;
  }
  return a.startMs - b.startMs || a.lengthMs - b.lengthMs;
}

function hasValue(cursor: ReadingCursor | undefined): cursor is ReadingCursor {
  return cursor !== undefined && cursor.qualityCode !== missingCode;
}

function reasonOf(cursor: ReadingCursor | undefined): string | undefined {
  return cursor?.reason;
}

function sameValue(a: ReadingCursor, b: ReadingCursor): boolean {
  return a.unit === b.unit && compareDecimals(a.integer, a.columns.decimals, b.integer, b.columns.decimals) === 0;
}

function countQuality(counts: number[], cursor: ReadingCursor | undefined): void {
  if (cursor !== undefined) {
    counts[cursor.qualityCode] = (counts[cursor.qualityCode] ?? 0) + 1;
  }
}

function shownReading(cursor: ReadingCursor | undefined): ShownReading | null {
  if (cursor === undefined) {
    return null;
  }
  const value = hasValue(cursor) ? formatDecimal(cursor.integer, cursor.columns.decimals) : null;
  return { value, unit: cursor.unit, quality: qualities[cursor.qualityCode] ?? 'missing', reason: cursor.reason };
}
