/** Where the lines of a series have come to: what its next line needs, also when that comes with another source. */
export interface SeriesEnd {
  /** The end of the last line, taken or left out; on the wall clock where readings stand there. */
  readonly endMs: number;
  /** What the clock of that stamp was ahead of UTC. */
  readonly endOffsetMs: number;
  /** The length of its interval; absent where only its end is known. */
  readonly lengthMs?: number | undefined;
  /** Its value as it came: the counter's where values are cumulative. */
  readonly integer: number;
  readonly decimals: number;
  /** Set while lines lie in an hour that the clocks repeat: what ends by then was there before. */
  readonly repeatsUntilMs?: number | undefined;
}
