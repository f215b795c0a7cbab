/** The one registered length of a series' intervals, or those over time where it changes, ascending. */
export type RegisteredLength = number | readonly LengthPeriod[];

/** From an instant on, until the next; undefined: none is registered. */
export interface LengthPeriod {
  readonly fromMs: number;
  readonly intervalMs: number | undefined;
}

/** The length of the interval that a stamp labels: the one that is registered where the interval begins. */
export function lengthMsAt(
  lengths: readonly LengthPeriod[],
  stampMs: number,
  labelledByEnd: boolean,
): number | undefined {
  // An interval that ends where a length ends had that length still.
  return lengths.findLast(({ fromMs }) => (labelledByEnd ? fromMs < stampMs : fromMs <= stampMs))?.intervalMs;
}
