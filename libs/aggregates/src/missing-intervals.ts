import type { ReadingColumns } from '@meterflow/readings';
import type { Calendar } from './calendar.ts';
import { dayChoice } from './day-choice.ts';
import { DayGrid } from './day-grid.ts';
import { ReadingRuns } from './reading-runs.ts';
import type { RegisteredIntervals } from './registered-intervals.ts';

export interface MissingIntervalsRequest {
  readonly calendar: Calendar;
  /** The local days [firstDay, endDay). */
  readonly firstDay: number;
  readonly endDay: number;
  readonly intervals: RegisteredIntervals;
  /** Intervals that end later are not due yet. */
  readonly untilMs: number;
}

/** Intervals that follow each other. */
export interface Gap {
  readonly fromMs: number;
  readonly toMs: number;
  readonly count: number;
}

/** A local day that lacks something. */
export interface MissingDay {
  readonly startMs: number;
  readonly endMs: number;
  readonly missing: number;
  readonly gaps: readonly Gap[];
}

/** Shorter intervals are not told one by one: there would be millions of them in a day. */
const intervalMsMin = 1_000;

/**
 * The local days in which intervals have no reading with a value, and which ones. An interval is one of the length that
 * is registered when it starts, or of the day's most common one; where neither tells, as in a day without any reading of
 * a series that is not registered, nothing is expected. Intervals begin where most of the day's readings do: at whole
 * lengths since 1970, or as many minutes after them.
 */
export function missingIntervals(
  request: MissingIntervalsRequest,
  columns: readonly ReadingColumns[],
): readonly MissingDay[] {
  const grid = new DayGrid(request.calendar, request, request.intervals);
  const choice = dayChoice(columns, grid);
  const present = presentStarts(columns, grid, choice.lengthMs);
  const days: MissingDay[] = [];
  for (let day = 0; day < grid.days; day++) {
    const [startMs, endMs] = [grid.dayStartMs(day), grid.dayStartMs(day + 1)];
    const gaps = periodsWithin(request.intervals, startMs, endMs).flatMap(({ fromMs, toMs, intervalMs }) =>
      gapsOf(present[day] as ReadonlySet<number>, {
        fromMs,
        toMs,
        intervalMs: intervalMs ?? (choice.lengthMs[day] as number),
        untilMs: request.untilMs,
      }),
    );
    if (gaps.length > 0) {
      days.push({ startMs, endMs, missing: gaps.reduce((sum, gap) => sum + gap.count, 0), gaps });
    }
  }
  return days;
}

/** When the readings that count start, by day. */
function presentStarts(
  columns: readonly ReadingColumns[],
  grid: DayGrid,
  commonMs: Float64Array,
): readonly ReadonlySet<number>[] {
  const starts = Array.from({ length: grid.days }, () => new Set<number>());
  for (const segment of columns) {
    const runs = new ReadingRuns(segment, grid);
    while (runs.next()) {
      if (runs.lengthMs === (grid.intervalMs ?? commonMs[grid.day])) {
        for (let index = runs.from; index < runs.to; index++) {
          starts[grid.day]?.add(runs.startMs + (index - runs.from) * runs.stepMs);
        }
      }
    }
  }
  return starts;
}

interface Period {
  readonly fromMs: number;
  readonly toMs: number;
  readonly intervalMs: number | undefined;
}

/** The parts of a span in each of which one length is registered, or none. */
function periodsWithin(intervals: RegisteredIntervals, fromMs: number, toMs: number): readonly Period[] {
  const all = [{ fromMs: -Infinity, intervalMs: undefined }, ...intervals];
  return all
    .map((each, index) => ({
      fromMs: Math.max(each.fromMs, fromMs),
      toMs: Math.min(all[index + 1]?.fromMs ?? Infinity, toMs),
      intervalMs: each.intervalMs,
    }))
    .filter((period) => period.fromMs < period.toMs);
}

function gapsOf(
  present: ReadonlySet<number>,
  { fromMs, toMs, intervalMs, untilMs }: Period & { readonly intervalMs: number; readonly untilMs: number },
): Gap[] {
  if (intervalMs < intervalMsMin) {
    return [];
  }
  const phaseMs = commonPhase(present, { fromMs, toMs, intervalMs });
  const gaps: { fromMs: number; toMs: number; count: number }[] = [];
  let startMs = Math.ceil((fromMs - phaseMs) / intervalMs) * intervalMs + phaseMs;
  for (; startMs < toMs && startMs + intervalMs <= untilMs; startMs += intervalMs) {
    const last = gaps.at(-1);
    if (present.has(startMs)) {
      continue;
    }
    if (last?.toMs === startMs) {
      last.toMs += intervalMs;
      last.count += 1;
    } else {
      gaps.push({ fromMs: startMs, toMs: startMs + intervalMs, count: 1 });
    }
  }
  return gaps;
}

/** How long after whole lengths most of the readings start; the shorter of equally common ones. */
function commonPhase(
  present: ReadonlySet<number>,
  { fromMs, toMs, intervalMs }: Period & { readonly intervalMs: number },
): number {
  const counts = new Map<number, number>();
  for (const startMs of present) {
    if (startMs >= fromMs && startMs < toMs) {
      const phaseMs = startMs % intervalMs;
      counts.set(phaseMs, (counts.get(phaseMs) ?? 0) + 1);
    }
  }
  const [common] = [...counts].sort(([a, most], [b, other]) => other - most || a - b);
  return common?.[0] ?? 0;
}
