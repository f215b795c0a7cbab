/** From `fromMs` on, until the next one begins, a series' intervals have this length; undefined: none is registered. */
export interface RegisteredInterval {
  readonly fromMs: number;
  readonly intervalMs: number | undefined;
}

/** The registered lengths of a series' intervals over time, ascending; before the first, and without any, none is. */
export type RegisteredIntervals = readonly RegisteredInterval[];

/**
 * How many intervals start in [fromMs, toMs): those on the grid of whole lengths since 1970, so that the parts of a
 * window always expect as many as the whole. `commonMs` is the length where none is registered, 0 where it is not known.
 */
export function intervalsWithin(
  intervals: RegisteredIntervals,
  commonMs: number,
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
): number {
  let count = startsWithin(commonMs, fromMs, Math.min(toMs, intervals[0]?.fromMs ?? Infinity));
  for (let index = 0; index < intervals.length; index++) {
    const { fromMs: heldFromMs, intervalMs = commonMs } = intervals[index] as RegisteredInterval;
    const heldToMs = intervals[index + 1]?.fromMs ?? Infinity;
    count += startsWithin(intervalMs, Math.max(fromMs, heldFromMs), Math.min(toMs, heldToMs));
  }
  return count;
}

function startsWithin(lengthMs: number, fromMs: number, toMs: number): number {
  return fromMs < toMs && lengthMs > 0 ? Math.ceil(toMs / lengthMs) - Math.ceil(fromMs / lengthMs) : 0;
}
