import { encodeSegment, SegmentColumnsReader } from '@meterflow/idempotent-writes';
import { sliceColumns, type ReadingColumns } from '@meterflow/readings';
import type { AcceptedSegment } from './segment-cell.ts';

/**
 * Of a row's originals what had been accepted by the instant. Of a merged segment that is those of its readings whose
 * version says so; one with a declared version, which superseded nothing, counts from the first of the merged batches.
 */
export function asOf(
  segments: readonly AcceptedSegment[],
  { instantMs, day }: { readonly instantMs: number; readonly day: number },
): Uint8Array[] {
  const reader = new SegmentColumnsReader();
  return segments.flatMap(({ acceptedFromMs, acceptedToMs, blob }): Uint8Array[] => {
    if (acceptedFromMs > instantMs) {
      return [];
    }
    if (acceptedToMs <= instantMs) {
      return [blob];
    }
    return reader
      .read(blob, day)
      .flatMap((columns) => acceptedBy(columns, instantMs))
      .map((columns) => encodeSegment(columns, day));
  });
}

function acceptedBy(columns: ReadingColumns, instantMs: number): ReadingColumns[] {
  const { ends, values } = columns.version;
  return Array.from(ends, (end, run) => ({ from: run === 0 ? 0 : (ends[run - 1] as number), to: end, run }))
    .filter(({ run }) => (columns.versions.acceptedAtMs[values[run] as number] as number) <= instantMs)
    .map(({ from, to }) => sliceColumns(columns, from, to));
}
