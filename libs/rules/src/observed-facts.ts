import { ReadingCursor, type ReadingColumns } from '@meterflow/readings';
import { dayIndex, type LocalDays } from './local-days.ts';

/** How many readings of one local day have each length, and each unit. */
interface DayCounts {
  readonly lengths: Map<number, number>;
  readonly units: Map<string, number>;
}

/**
 * What the readings of a channel say of it, day by day, where nobody registered it. Asked for the days alone that a run may
 * look at: what is read beside them hangs on which other days are computed with it, and must say nothing.
 */
export class ObservedFacts {
  readonly #columns: readonly ReadingColumns[];
  readonly #days: LocalDays;
  #counted: readonly DayCounts[] | undefined;
  /** All lengths that there are: mostly one, or none. */
  #lengths: ReadonlySet<number> = new Set();

  constructor(columns: readonly ReadingColumns[], days: LocalDays) {
    this.#columns = columns;
    this.#days = days;
  }

  /** The interval length that most readings of the days [from, to) have, the shorter of two; 0 where there are none. */
  intervalMs(from: number, to: number): number {
    const counted = this.#all();
    if (this.#lengths.size === 0) {
      return 0;
    }
    const lengths = counted.slice(from, to).map((counts) => counts.lengths);
    return most(lengths, (a, b) => a - b) ?? 0;
  }

  /** The unit that most of them have; '' where there are none. */
  unit(from: number, to: number): string {
    const units = this.#all()
      .slice(from, to)
      .map((counts) => counts.units);
    return most(units, (a, b) => (a < b ? -1 : 1)) ?? '';
  }

  #all(): readonly DayCounts[] {
    if (this.#counted === undefined) {
      this.#counted = counted(this.#columns, this.#days);
      this.#lengths = new Set(this.#counted.flatMap(({ lengths }) => [...lengths.keys()]));
    }
    return this.#counted;
  }
}

function counted(columns: readonly ReadingColumns[], days: LocalDays): readonly DayCounts[] {
  const counts = Array.from({ length: days.startMs.length - 1 }, () => ({
    lengths: new Map<number, number>(),
    units: new Map<string, number>(),
  }));
  for (const segment of columns) {
    for (const cursor = new ReadingCursor(segment); cursor.next();) {
      const day = counts[dayIndex(days, cursor.startMs)];
      if (day !== undefined) {
        addOne(day.units, cursor.unit);
        if (cursor.lengthMs > 0) {
          addOne(day.lengths, cursor.lengthMs);
        }
      }
    }
  }
  return counts;
}

function addOne<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function most<Key>(days: readonly ReadonlyMap<Key, number>[], compare: (a: Key, b: Key) => number): Key | undefined {
  const sums = new Map<Key, number>();
  for (const counts of days) {
    counts.forEach((count, key) => {
      sums.set(key, (sums.get(key) ?? 0) + count);
    });
  }
  return [...sums].sort(([a, count], [b, other]) => other - count || compare(a, b))[0]?.[0];
}
