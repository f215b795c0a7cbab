import type { SegmentCell } from './row-cells.ts';
import type { AcceptedSegment } from './segment-cell.ts';

/**
 * The segments of a row as they were accepted, oldest first. Where a compaction found something superseded, the history
 * cell holds all that it merged; elsewhere the merged cell says the same as its parts did.
 */
export function originals(cells: readonly SegmentCell[]): AcceptedSegment[] {
  const hasHistory = cells.some(({ isHistory }) => isHistory);
  return cells
    .filter(({ isMerged }) => !(isMerged && hasHistory))
    .flatMap(({ segments }) => segments)
    .sort((a, b) => a.acceptedToMs - b.acceptedToMs || a.acceptedFromMs - b.acceptedFromMs);
}
