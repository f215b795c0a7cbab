import type { ReadingColumns } from '@meterflow/readings';
import type { DayGrid } from './day-grid.ts';
import { ReadingRuns } from './reading-runs.ts';
import { unitChoice } from './unit-choice.ts';

/** Which readings of each day of a grid are summed: those of one interval length, in one unit. */
export interface DayChoice {
  readonly lengthMs: Float64Array;
  readonly unit: readonly string[];
}

/**
 * Chooses for each day: the registered interval, or, where none is registered, the length that most of its values have
 * (ties: the shorter); the unit as {@link unitChoice} says among those of that length.
 */
export function dayChoice(
  columns: readonly ReadingColumns[],
  grid: DayGrid,
  intervalMs: number | undefined,
): DayChoice {
  return uniformChoice(columns, grid, intervalMs) ?? countedChoice(columns, grid, intervalMs);
}

/** What every series of an ordinary meter comes to: one length and one unit all over; undefined where it does not. */
function uniformChoice(
  columns: readonly ReadingColumns[],
  grid: DayGrid,
  intervalMs: number | undefined,
): DayChoice | undefined {
  let lengthMs = intervalMs ?? 0;
  let unit: string | undefined;
  for (const { spans, unit: units, texts } of columns) {
    for (let span = 0; span < spans.count.length; span++) {
      const found = spans.lengthMs[span] as number;
      if (found !== 0 && intervalMs === undefined && found !== lengthMs) {
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

interface Tally {
  readonly lengthMs: number;
  readonly unit: string;
  count: number;
}

function countedChoice(columns: readonly ReadingColumns[], grid: DayGrid, intervalMs: number | undefined): DayChoice {
  const days: Tally[][] = Array.from({ length: grid.days }, () => []);
  for (const segment of columns) {
    const runs = new ReadingRuns(segment, grid);
    while (runs.next()) {
      if (intervalMs === undefined || runs.lengthMs === intervalMs) {
        count(days[grid.day] as Tally[], runs);
      }
    }
  }
  const lengthMs = Float64Array.from(days, (tallies) => intervalMs ?? commonLength(tallies));
  const unit = days.map((tallies, day) => unitChoice(tallies.filter((tally) => tally.lengthMs === lengthMs[day])));
  return { lengthMs, unit };
}

function count(tallies: Tally[], runs: ReadingRuns): void {
  const unit = runs.columns.texts[runs.unit] as string;
  let tally = tallies.find((known) => known.lengthMs === runs.lengthMs && known.unit === unit);
  if (tally === undefined) {
    tally = { lengthMs: runs.lengthMs, unit, count: 0 };
    tallies.push(tally);
  }
  tally.count += runs.to - runs.from;
}

function commonLength(tallies: readonly Tally[]): number {
  const counts = new Map<number, number>();
  for (const { lengthMs, count: found } of tallies) {
    counts.set(lengthMs, (counts.get(lengthMs) ?? 0) + found);
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
