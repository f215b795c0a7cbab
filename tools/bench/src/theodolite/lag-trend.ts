/** How many records waited at an instant. */
export interface Lag {
  readonly seconds: number;
  readonly records: number;
}

/** By how many records a second the lag grows: the slope of the line of least squares through what was seen. */
export function lagTrend(seen: readonly Lag[]): number {
  const n = seen.length;
  if (n < 2) {
    return 0;
  }
  const mean = (of: (lag: Lag) => number): number => seen.reduce((sum, lag) => sum + of(lag), 0) / n;
  const [seconds, records] = [mean((lag) => lag.seconds), mean((lag) => lag.records)];
  const covariance = mean((lag) => (lag.seconds - seconds) * (lag.records - records));
  const variance = mean((lag) => (lag.seconds - seconds) ** 2);
  return variance === 0 ? 0 : covariance / variance;
}
