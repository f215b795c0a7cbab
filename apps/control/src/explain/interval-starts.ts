/** A registered length from an instant on, until the next; undefined where none is. */
export interface IntervalFrom {
  readonly fromMs: number;
  readonly intervalMs: number | undefined;
}

const startsMax = 50_000;

/** The intervals that start in [fromMs, toMs) under the lengths that are registered then, on the grid of whole lengths since 1970. */
export function intervalStarts(
  fromMs: number,
  toMs: number,
  registered: readonly IntervalFrom[],
): { readonly startMs: number; readonly intervalMs: number }[] {
  const starts: { startMs: number; intervalMs: number }[] = [];
  registered.forEach(({ fromMs: begin, intervalMs }, index) => {
    if (intervalMs === undefined) {
      return;
    }
    const end = Math.min(toMs, registered[index + 1]?.fromMs ?? Infinity);
    const first = Math.ceil(Math.max(fromMs, begin) / intervalMs) * intervalMs;
    for (let startMs = first; startMs < end && starts.length < startsMax; startMs += intervalMs) {
      starts.push({ startMs, intervalMs });
    }
  });
  return starts;
}
