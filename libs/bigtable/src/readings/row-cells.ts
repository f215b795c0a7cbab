import { tables } from '../schema.ts';
import type { StoredCell, StoredRow } from '../wire/read-rows.ts';
import { decodeCell, historyKind, latestKind, type AcceptedSegment } from './segment-cell.ts';

/** A cell that stands, decoded. */
export interface SegmentCell {
  readonly cell: StoredCell;
  readonly isHistory: boolean;
  /** Made by a compaction. */
  readonly isMerged: boolean;
  /** In the order in which their batches were accepted. */
  readonly segments: readonly AcceptedSegment[];
}

/** The segments of a row but for what was accepted up to `erasedTo`; see Tombstones. */
export function standingCells(row: StoredRow, erasedTo: number): SegmentCell[] {
  const standing: SegmentCell[] = [];
  for (const cell of row.cells) {
    if (cell.family !== tables.readings.segments) {
      continue;
    }
    const { kind, segments } = decodeCell(cell.value);
    const left = erasedTo < 0 ? segments : segments.filter(({ acceptedToMs }) => acceptedToMs > erasedTo);
    if (left.length > 0) {
      standing.push({ cell, isHistory: kind === historyKind, isMerged: kind === latestKind, segments: left });
    }
  }
  return standing;
}

export function latestBlobs(cells: readonly SegmentCell[]): Buffer[] {
  return cells.flatMap(({ isHistory, segments }) => (isHistory ? [] : segments.map(({ blob }) => blob)));
}
