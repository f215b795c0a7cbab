import type { ReadingColumns } from '@meterflow/readings';
import type { DayGrid } from './day-grid.ts';
import { ReadingRuns } from './reading-runs.ts';
import { unitChoice } from './unit-choice.ts';

/** Which readings of each day of a grid are summed: those of the interval length that holds when they start, in one unit. */
export interface DayChoice {
  /** The length that counts where none is registered; 0 where no reading tells it. */
  readonly lengthMs: Float64Array;
  readonly unit: readonly string[];
}

/**
 * Chooses for each day: the registered interval, or, where none is registered, the length that most of its values have
 * (ties: the shorter); the unit as {@link unitChoice} says among those of that length.
 */
export function dayChoice(columns: readonly ReadingColumns[], grid: DayGrid): DayChoice {
  return uniformChoice(columns, grid) ?? countedChoice(columns, grid);
}

/** What every series of an ordinary meter comes to: one length and one unit all over; undefined where it does not. */
function uniformChoice(columns: readonly ReadingColumns[], grid: DayGrid): DayChoice | undefined {
  const isRegistered = holdsAlways(grid);
  let lengthMs = 0;
  let unit: string | undefined;
  for (const { spans, unit: units, texts } of columns) {
    for (let span = 0; span < spans.count.length; span++) {
      const found = spans.lengthMs[span] as number;
      if (found !== 0 && !isRegistered && found !== lengthMs) {
        if (lengthMs !== 0) {
          return undefined;
        }
        lengthMs = found;
      }
    }
    for (const index of units.values) {
      unit ??= texts[index] as string;
      if (texts[index] !== unit) {
        return undefined;
      }
    }
  }
  return {
    lengthMs: new Float64Array(grid.days).fill(lengthMs),
    unit: Array.from<string>({ length: grid.days }).fill(unit ?? ''),
  };
}

/** Whether one registered length holds all over the grid, so that no reading has a say in it. */
function holdsAlways({ intervals, startMs, endMs }: DayGrid): boolean {
  const held = intervals.findLast(({ fromMs }) => fromMs <= startMs);
  return held?.intervalMs !== undefined && !intervals.some(({ fromMs }) => fromMs > startMs && fromMs < endMs);
}

interface Tally {
  /** Undefined where it is the one that is registered. */
  readonly lengthMs: number | undefined;
  readonly unit: string;
  count: number;
}

function countedChoice(columns: readonly ReadingColumns[], grid: DayGrid): DayChoice {
  const days: Tally[][] = Array.from({ length: grid.days }, () => []);
  for (const segment of columns) {
    const runs = new ReadingRuns(segment, grid);
    while (runs.next()) {
      if (grid.intervalMs === undefined) {
        count(days[grid.day] as Tally[], runs, runs.lengthMs);
      } else if (runs.lengthMs === grid.intervalMs) {
        count(days[grid.day] as Tally[], runs, undefined);
      }
    }
  }
  const lengthMs = Float64Array.from(days, commonLength);
  const unit = days.map((tallies, day) =>
    unitChoice(tallies.filter((tally) => tally.lengthMs === undefined || tally.lengthMs === lengthMs[day])),
  );
  return { lengthMs, unit };
}

function count(tallies: Tally[], runs: ReadingRuns, lengthMs: number | undefined): void {
  const unit = runs.columns.texts[runs.unit] as string;
  let tally = tallies.find((known) => known.lengthMs === lengthMs && known.unit === unit);
  if (tally === undefined) {
    tally = { lengthMs, unit, count: 0 };
    tallies.push(tally);
  }
  tally.count += runs.to - runs.from;
}

function commonLength(tallies: readonly Tally[]): number {
  const counts = new Map<number, number>();
  for (const { lengthMs, count: found } of tallies) {
    if (lengthMs !== undefined) {
      counts.set(lengthMs, (counts.get(lengthMs) ?? 0) + found);
    }
  }
  let common = 0;
  let most = 0;
  for (const [lengthMs, found] of counts) {
    if (found > most || (found === most && lengthMs < common)) {
      common = lengthMs;
      most = found;
    }
  }
  return common;
}
