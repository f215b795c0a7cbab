import type { Segment } from './reading-store.ts';
import { dayMs } from './segment-format.ts';
import { sliceColumns, type Spans } from '@meterflow/readings';

/** The segment's readings that start in [fromMs, toMs); undefined where there are none. */
export function segmentWithin(segment: Segment, fromMs: number, toMs: number): Segment | undefined {
  const { day, columns } = segment;
  if (fromMs <= day * dayMs && toMs >= (day + 1) * dayMs) {
    return segment;
  }
  const from = readingsBefore(columns.spans, fromMs);
  const to = readingsBefore(columns.spans, toMs);
  return from === to ? undefined : { day, columns: sliceColumns(columns, from, to) };
}

/** How many readings start before an instant; they are sorted by start. */
function readingsBefore({ startMs, stepMs, count }: Spans, instantMs: number): number {
  let readings = 0;
  for (let span = 0; span < count.length; span++) {
    const aheadMs = instantMs - (startMs[span] as number);
    if (aheadMs <= 0) {
      break;
    }
    const stepsBefore = stepMs[span] === 0 ? Infinity : Math.ceil(aheadMs / (stepMs[span] as number));
    readings += Math.min(count[span] as number, stepsBefore);
  }
  return readings;
}
