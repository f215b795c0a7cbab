import type { ReadingBatch, Spans } from '@meterflow/readings';
import type { Activation } from '@meterflow/rules';

/** Readings [from, to) of a batch that one activation counts for. */
export interface ActivationRange {
  readonly activation: Activation;
  readonly from: number;
  readonly to: number;
}

/** The event time that a batch covers: its first start, and just after its last. */
export function batchSpan({ columns: { spans } }: ReadingBatch): { readonly fromMs: number; readonly toMs: number } {
  let fromMs = Infinity;
  let lastMs = -Infinity;
  for (let span = 0; span < spans.count.length; span++) {
    const startMs = spans.startMs[span] as number;
    fromMs = Math.min(fromMs, startMs);
    lastMs = Math.max(lastMs, startMs + ((spans.count[span] as number) - 1) * (spans.stepMs[span] as number));
  }
  return { fromMs, toMs: lastMs + 1 };
}

/**
 * Cuts a batch where the activation changes: for a reading at time t it is the first of `counting` (highest first)
 * whose span contains t. One range where one activation counts for all, which is what nearly every batch is.
 */
export function activationRanges(batch: ReadingBatch, counting: readonly Activation[]): ActivationRange[] {
  const [newest] = counting;
  const count = batch.columns.values.length;
  if (newest === undefined || count === 0) {
    return [];
  }
  const { fromMs, toMs } = batchSpan(batch);
  if (newest.fromMs <= fromMs && toMs <= newest.toMs) {
    return [{ activation: newest, from: 0, to: count }];
  }
  const ranges: { activation: Activation; from: number; to: number }[] = [];
  eachStart(batch.columns.spans, (startMs, index) => {
    const activation = counting.find((candidate) => candidate.fromMs <= startMs && startMs < candidate.toMs);
    if (activation === undefined) {
      throw new RangeError(`no activation of ${batch.tenant} counts at ${startMs}`);
    }
    const last = ranges.at(-1);
    if (last?.activation === activation) {
      last.to = index + 1;
    } else {
      ranges.push({ activation, from: index, to: index + 1 });
    }
  });
  return ranges;
}

function eachStart(spans: Spans, visit: (startMs: number, index: number) => void): void {
  let index = 0;
  for (let span = 0; span < spans.count.length; span++) {
    const stepMs = spans.stepMs[span] as number;
    for (let position = 0; position < (spans.count[span] as number); position++) {
      visit((spans.startMs[span] as number) + position * stepMs, index);
      index += 1;
    }
  }
}
