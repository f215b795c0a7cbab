import type { ReadingBatch } from './reading-batch.ts';
import type { Touched } from './stored-notice.ts';

/** Spans of a series closer than this are told as one: what listens works in whole days. */
const gapMsMax = 24 * 60 * 60 * 1000;

/** The spans of event time in which a batch may change something. */
export function touchedBy(batch: ReadingBatch): Touched {
  const { spans } = batch.columns;
  const rows = spans.count.length;
  const index = new Uint32Array(rows);
  const fromMs = new Float64Array(rows);
  const toMs = new Float64Array(rows);
  const newest = new Int32Array(batch.series.length).fill(-1);
  let length = 0;
  for (let span = 0; span < rows; span++) {
    const series = spans.series[span] as number;
    const startMs = spans.startMs[span] as number;
    const endMs = spanEndMs(batch, span);
    const row = newest[series] as number;
    if (row >= 0 && startMs <= (toMs[row] as number) + gapMsMax && endMs >= (fromMs[row] as number) - gapMsMax) {
      fromMs[row] = Math.min(fromMs[row] as number, startMs);
      toMs[row] = Math.max(toMs[row] as number, endMs);
      continue;
    }
    index[length] = series;
    fromMs[length] = startMs;
    toMs[length] = endMs;
    newest[series] = length++;
  }
  return {
    series: batch.series,
    index: index.slice(0, length),
    fromMs: fromMs.slice(0, length),
    toMs: toMs.slice(0, length),
  };
}

/** The end of a span's last reading; for registers an instant after it, so that the span is never empty. */
function spanEndMs({ columns: { spans } }: ReadingBatch, span: number): number {
  const lastMs = (spans.startMs[span] as number) + ((spans.count[span] as number) - 1) * (spans.stepMs[span] as number);
  return lastMs + Math.max(1, spans.lengthMs[span] as number);
}
