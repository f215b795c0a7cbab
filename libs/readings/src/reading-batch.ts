import type { ReadingColumns } from './columns.ts';
import type { SeriesName } from './identifiers.ts';
import type { Layer } from './layer.ts';
import { sliceRuns, type Runs } from './runs.ts';
import { SpansBuilder, type Spans } from './spans.ts';

/** A batch holds at most this many readings: 16 to 64 KB. */
export const readingsPerBatchMax = 4_000;

/** What is one for all readings of a batch. */
export interface BatchHeader {
  readonly tenant: string;
  readonly layer: Layer;
  /** Acceptance and delivery number. */
  readonly sourceId: string;
  readonly acceptedAtMs: number;
  /** The number of the tenant's newest activation when the batch was made. */
  readonly activation: number;
  /** What this batch goes back to; absent on an accepted batch, which is its own origin. */
  readonly cause?: Cause;
}

/**
 * The accepted batch that something goes back to, as the ledger names it. A batch after the rules may have been cut
 * (`part` of `parts`, from 0), so that all its values share one count of decimals.
 */
export interface Cause {
  readonly sourceId: string;
  /** The key of the accepted batch. */
  readonly key: string;
  readonly part: number;
  readonly parts: number;
}

/**
 * The unit of messaging, of the sandbox call and of the write: readings of one tenant and one layer, of one or many
 * series. `spans.series` points into `series`. Reading `i` stood in the source's line `firstLine` + the sum of
 * `lineDeltas` up to and including `i` (the first delta is 0).
 */
export interface ReadingBatch extends BatchHeader {
  readonly series: readonly SeriesName[];
  readonly columns: ReadingColumns;
  readonly firstLine: number;
  readonly lineDeltas: Runs;
}

export function readingCount(batch: ReadingBatch): number {
  return batch.columns.values.length;
}

/** The readings [from, to) as a batch of their own. Shares what it can with the original. */
export function sliceBatch(batch: ReadingBatch, from: number, to: number): ReadingBatch {
  const deltas = sliceRuns(batch.lineDeltas, from, to);
  return {
    ...batch,
    columns: sliceColumns(batch.columns, from, to),
    firstLine: batch.firstLine + sumOfRuns(sliceRuns(batch.lineDeltas, 0, from + 1)),
    lineDeltas: withFirstZero(deltas),
  };
}

export function sliceColumns(columns: ReadingColumns, from: number, to: number): ReadingColumns {
  const slice = (runs: Runs): Runs => sliceRuns(runs, from, to);
  return {
    ...columns,
    spans: sliceSpans(columns.spans, from, to),
    values: columns.values.subarray(from, to),
    quality: slice(columns.quality),
    version: slice(columns.version),
    unit: slice(columns.unit),
    code: slice(columns.code),
    method: slice(columns.method),
    reason: slice(columns.reason),
  };
}

function sliceSpans(spans: Spans, from: number, to: number): Spans {
  const sliced = new SpansBuilder();
  let start = 0;
  for (let span = 0; span < spans.count.length && start < to; span++) {
    const count = spans.count[span] as number;
    const first = Math.max(from, start);
    const kept = Math.min(to, start + count) - first;
    if (kept > 0) {
      const stepMs = spans.stepMs[span] as number;
      const startMs = (spans.startMs[span] as number) + (first - start) * stepMs;
      sliced.append(spans.series[span] as number, {
        startMs,
        stepMs,
        lengthMs: spans.lengthMs[span] as number,
        count: kept,
      });
    }
    start += count;
  }
  return sliced.finish();
}

/** The line of the source that the last of its readings stood in. */
export function lastLineOf({ firstLine, lineDeltas }: ReadingBatch): number {
  return firstLine + sumOfRuns(lineDeltas);
}

function sumOfRuns(runs: Runs): number {
  let sum = 0;
  let start = 0;
  runs.ends.forEach((end, run) => {
    sum += (end - start) * (runs.values[run] as number);
    start = end;
  });
  return sum;
}

function withFirstZero(deltas: Runs): Runs {
  const count = deltas.ends.at(-1) ?? 0;
  if (count === 0 || deltas.values[0] === 0) {
    return deltas;
  }
  const rest = sliceRuns(deltas, 1, count);
  return {
    ends: Uint32Array.of(1, ...rest.ends.map((end) => end + 1)),
    values: Uint32Array.of(0, ...rest.values),
  };
}
