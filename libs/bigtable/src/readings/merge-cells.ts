import { GroupMerger, SegmentColumnsReader, type DayExtent } from '@meterflow/idempotent-writes';

export interface MergedSegments {
  readonly blob: Uint8Array;
  /** What was superseded, as a blob. */
  readonly replaced: Uint8Array | undefined;
  readonly extent: DayExtent;
}

const oneSeries = Int32Array.of(0);

/** Merges segments of one series-day into one, by version: in whatever order they come, the latest are the same. */
export class SegmentMerger {
  readonly #merger = new GroupMerger();

  /** The blobs are not empty. What is returned is the caller's. */
  merge(blobs: readonly Uint8Array[], day: number): MergedSegments {
    const merger = this.#merger;
    const reader = new SegmentColumnsReader();
    merger.begin();
    for (const blob of blobs) {
      for (const columns of reader.read(blob, day)) {
        merger.add({ columns }, oneSeries);
      }
    }
    merger.sort();
    merger.next();
    const blob = merger.merge(undefined);
    return {
      blob: blob === undefined ? new Uint8Array(0) : Uint8Array.from(blob),
      replaced: merger.history()?.slice(),
      extent: merger.extent(),
    };
  }

  /** The blob of the latest readings; the very blob where there is one. */
  latest(blobs: readonly Uint8Array[], day: number): Uint8Array {
    const [only] = blobs;
    return blobs.length === 1 && only !== undefined ? only : this.merge(blobs, day).blob;
  }
}
