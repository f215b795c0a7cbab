import type { ByteReader } from './byte-reader.ts';
import { CorruptSegmentError } from './corrupt-segment-error.ts';

/** What is stored begins with its format, from format 2 on followed by what a newer build adds and its length before it. */
const extendedFromFormat = 2;

/**
 * Reads the format of what a build that writes `own` stores, and passes over what a newer one added: the next format may
 * only have added in the place that is kept for it. Throws CorruptSegmentError for any other; `what` names it there.
 * Returns the bytes that were passed over, for a build that knows some of them; a newer one adds behind those.
 */
export function openFormat(reader: ByteReader, own: number, what: string): AddedBytes {
  const format = reader.byte();
  if (format < 1 || format > own + 1) {
    throw new CorruptSegmentError(`a ${what} of format ${format}; this build reads 1 to ${own + 1}`);
  }
  added.from = reader.position;
  if (format >= extendedFromFormat) {
    const length = reader.countTo(reader.left);
    added.from = reader.skip(length);
  }
  added.to = reader.position;
  return added;
}

/** The bytes [from, to), none in format 1. Overwritten by the next call. */
export interface AddedBytes {
  readonly from: number;
  readonly to: number;
}

const added = { from: 0, to: 0 };
