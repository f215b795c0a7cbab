import {
  encodeSegment,
  knownColumns,
  SegmentColumnsReader,
  SegmentMerger,
  type KnownBy,
  type Origin,
  type Segment,
} from '@meterflow/idempotent-writes';

export interface AsOfRequest {
  /** All versions that are stored, those that count and those that don't any more. */
  readonly versions: readonly Segment[];
  readonly known: KnownBy;
  /** When declared versions of the raw readings were accepted. */
  readonly origins: readonly Origin[];
}

/** The latest of the versions that were known, day by day. */
export function asOf({ versions, known, origins }: AsOfRequest): Segment[] {
  const merger = new SegmentMerger();
  const reader = new SegmentColumnsReader();
  const days = new Map<number, Uint8Array[]>();
  for (const { day, columns } of versions) {
    const blobs = knownColumns(columns, known, origins).map((part) => encodeSegment(part, day));
    days.set(day, [...(days.get(day) ?? []), ...blobs]);
  }
  return [...days]
    .filter(([, blobs]) => blobs.length > 0)
    .sort(([a], [b]) => a - b)
    .flatMap(([day, blobs]) => reader.read(merger.latest(blobs, day), day).map((columns) => ({ day, columns })));
}
