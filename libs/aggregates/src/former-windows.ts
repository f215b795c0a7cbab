import type { AggregateBatchBuilder } from './aggregate-batch-builder.ts';
import type { SheetLevel } from './aggregate-batch.ts';
import { dayMs, monthOfDay, type Calendar } from './calendar.ts';

export interface FormerWindowsRequest {
  /** The series' index in the builder. */
  readonly series: number;
  readonly level: SheetLevel;
  /** The zone that the series has. */
  readonly calendar: Calendar;
  /** Zones that it had before. */
  readonly former: readonly Calendar[];
  /** What is computed anew: whole windows of `calendar`. */
  readonly fromMs: number;
  readonly toMs: number;
}

/** A store may keep one window of a series for each half of a UTC day that windows start in: no zone has two there. */
const slotMs = dayMs / 2;

/**
 * Appends a sheet without rows for each window of a former zone that overlaps what is computed anew, so that no day counts
 * twice: where a window of the zone that the series has now begins in the same half day, only with that one beside it in
 * the batch. Of the two a store that has one place for both keeps the one with rows.
 */
export function appendFormerWindows(builder: AggregateBatchBuilder, request: FormerWindowsRequest): void {
  const { series, level, calendar, former, fromMs, toMs } = request;
  const told = new Set<number>();
  for (const old of former) {
    const last = windowOf(level, old, toMs - 1);
    for (let window = windowOf(level, old, fromMs); window <= last; window++) {
      const startMs = windowStartMs(level, old, window);
      const endMs = windowStartMs(level, old, window + 1);
      const besideMs = currentStartMs(level, calendar, startMs);
      const isComputed = besideMs === undefined || (besideMs >= fromMs && besideMs < toMs);
      if (startMs >= 0 && startMs < endMs && besideMs !== startMs && isComputed && !told.has(startMs)) {
        told.add(startMs);
        builder.begin({ series, startMs, endMs, unit: builder.text(''), decimals: 0 });
      }
    }
  }
}

/** Where the window of the calendar starts that starts in the same half day; undefined where none does. */
function currentStartMs(level: SheetLevel, calendar: Calendar, startMs: number): number | undefined {
  const slot = Math.floor(startMs / slotMs);
  const window = windowOf(level, calendar, startMs);
  return [window, window + 1]
    .map((each) => windowStartMs(level, calendar, each))
    .find((each) => Math.floor(each / slotMs) === slot);
}

function windowOf(level: SheetLevel, calendar: Calendar, instantMs: number): number {
  const day = calendar.dayOf(instantMs);
  return level === 'day' ? day : monthOfDay(day);
}

function windowStartMs(level: SheetLevel, calendar: Calendar, window: number): number {
  return level === 'day' ? calendar.dayStartMs(window) : calendar.monthStartMs(window);
}
