import type { SeriesName } from './identifiers.ts';
import type { Layer } from './layer.ts';
import type { Cause } from './reading-batch.ts';

/** Spans of event time that may have changed, in columns: row `i` is [fromMs, toMs) of `series[index[i]]`. */
export interface Touched {
  readonly series: readonly SeriesName[];
  readonly index: Uint32Array;
  readonly fromMs: Float64Array;
  readonly toMs: Float64Array;
}

/**
 * Says that a batch is stored, whatever its outcome was: publishing only what changed would lose the notice for ever
 * when the process dies between write and publish. `key` is the stored batch's own.
 */
export interface StoredNotice {
  readonly tenant: string;
  readonly layer: Layer;
  readonly activation: number;
  readonly key: string;
  readonly causes: readonly Cause[];
  readonly touched: Touched;
}
