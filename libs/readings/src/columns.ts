import type { Runs } from './runs.ts';
import type { Spans } from './spans.ts';
import type { Versions } from './version.ts';

/**
 * Readings in columns: what a batch carries and what a store keeps of a series-day. Reading `i` is the i-th that the
 * spans name, in their order; its value is `values[i] / 10^decimals`, meaningless where its quality is missing.
 *
 * `unit`, `code` (the source's own quality code), `method` and `reason` are runs of indexes into `texts`; `texts[0]` is
 * always the empty text. `version` is runs of indexes into `versions`.
 */
export interface ReadingColumns {
  readonly spans: Spans;
  readonly decimals: number;
  readonly values: Float64Array;
  readonly quality: Runs;
  readonly version: Runs;
  readonly versions: Versions;
  readonly unit: Runs;
  readonly code: Runs;
  readonly method: Runs;
  readonly reason: Runs;
  readonly texts: readonly string[];
}
