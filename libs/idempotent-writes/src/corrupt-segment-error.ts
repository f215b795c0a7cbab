/** Thrown when stored bytes can't be what an encoder wrote: the store is damaged there, and no retry mends it. */
export class CorruptSegmentError extends Error {
  override readonly name = 'CorruptSegmentError';
}
