import { encodeSegment, knownColumns, SegmentColumnsReader, type KnownBy } from '@meterflow/idempotent-writes';
import type { AcceptedSegment } from './segment-cell.ts';

/**
 * Of a row's originals what was known. A segment as it was accepted tells when; of a merged one that is those of its
 * readings whose version says so, and one with a declared version, which superseded nothing, counts from the first of the
 * merged batches.
 */
export function asOf(
  segments: readonly AcceptedSegment[],
  { known, day }: { readonly known: KnownBy; readonly day: number },
): Uint8Array[] {
  const reader = new SegmentColumnsReader();
  return segments.flatMap(({ acceptedFromMs, acceptedToMs, blob }): Uint8Array[] => {
    if (acceptedFromMs > known.instantMs) {
      return [];
    }
    if (acceptedToMs <= known.instantMs && known.activationMax === undefined) {
      return [blob];
    }
    return reader
      .read(blob, day)
      .flatMap((columns) => knownColumns(columns, known))
      .map((columns) => encodeSegment(columns, day));
  });
}
